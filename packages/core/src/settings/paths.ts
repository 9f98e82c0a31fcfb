// Where the paths of sluice.yaml lead, so that ctrl and edge, started apart, agree. Pure: nothing here looks at the disk.
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { Settings } from "./schema.ts";

type EtcdSettings = NonNullable<Settings["ctrl"]["store"]["etcd"]>;

/** A socket's path must fit in 108 bytes with its final NUL on Linux, 104 on macOS and the BSDs. */
const maxSocketPathBytes = 100;

/** Settings with every path absolute. Relative ones are relative to `baseDirectory`: sluice.yaml's own, or the working directory. */
export function resolveSettings(settings: Settings, baseDirectory: string): Settings {
  const absolute = (path: string) => resolve(baseDirectory, path);
  const { accessLog, ctrlTls } = settings.edge;
  const path = accessLog.path === "off" ? "off" : absolute(accessLog.path);
  const { directory } = settings.config;
  return {
    ...settings,
    config: { ...settings.config, directory: directory === "off" ? "off" : absolute(directory) },
    state: { ...settings.state, directory: absolute(settings.state.directory) },
    edge: {
      ...settings.edge,
      accessLog: { ...accessLog, path },
      ...(ctrlTls === undefined ? {} : { ctrlTls: absoluteAt(ctrlTls, ["certificate", "privateKey", "ca"], absolute) }),
    },
    ctrl: { ...resolveApiPaths(settings.ctrl, absolute), ...resolvePublishPaths(settings.ctrl, absolute) },
  };
}

function resolvePublishPaths({ publish }: Settings["ctrl"], absolute: (path: string) => string) {
  if (publish === undefined) return {};
  return { publish: { ...publish, tls: absoluteAt(publish.tls, ["certificate", "privateKey", "clientCa"], absolute) } };
}

function resolveApiPaths<Ctrl extends Settings["ctrl"]>(ctrl: Ctrl, absolute: (path: string) => string): Ctrl {
  const { tls, tokens, store } = ctrl;
  const clientCa = tls?.clientCa === undefined ? {} : { clientCa: absolute(tls.clientCa) };
  const files =
    tls === undefined ? {} : { certificate: absolute(tls.certificate), privateKey: absolute(tls.privateKey) };
  return {
    ...ctrl,
    tokens: tokens.map((token) => {
      return token.tokenFile === undefined ? token : { ...token, tokenFile: absolute(token.tokenFile) };
    }),
    ...(tls === undefined ? {} : { tls: { ...tls, ...files, ...clientCa } }),
    store: store.etcd === undefined ? store : { ...store, etcd: resolveEtcdPaths(store.etcd, absolute) },
  };
}

function resolveEtcdPaths(etcd: EtcdSettings, absolute: (path: string) => string): EtcdSettings {
  const { passwordFile, tls } = etcd;
  const { ca, certificate, privateKey } = tls;
  return {
    ...etcd,
    tls: {
      ...(ca === undefined ? {} : { ca: absolute(ca) }),
      ...(certificate === undefined ? {} : { certificate: absolute(certificate) }),
      ...(privateKey === undefined ? {} : { privateKey: absolute(privateKey) }),
    },
    ...(passwordFile === undefined ? {} : { passwordFile: absolute(passwordFile) }),
  };
}

/** The object with the paths under these keys made absolute. */
function absoluteAt<Key extends string, Type extends Readonly<Record<Key, string>>>(
  value: Type,
  keys: readonly Key[],
  absolute: (path: string) => string,
): Type {
  return { ...value, ...Object.fromEntries(keys.map((key) => [key, absolute(value[key])])) };
}

export interface ControlSocket {
  readonly path: string;
  /** Its own directory, which must be private (`socketDirectoryProblem`), when it does not lie in the state directory. */
  readonly ownDirectory: string | null;
}

/**
 * The unix socket on which ctrl serves its edges: `<state directory>/ctrl.sock`, or, where that is too long for a socket address,
 * `<tmp directory>/sluice-<uid>-<16 hex of its SHA-256>/ctrl.sock`. The name can be foreseen, so another user may take it first: what
 * protects the edge is that both programs look whose directory it is.
 *
 * @param stateDirectory absolute
 * @param place `os.tmpdir()` and the user this process runs as
 */
export function controlSocket(
  stateDirectory: string,
  { tmpDirectory, uid }: { readonly tmpDirectory: string; readonly uid: number },
): ControlSocket {
  const path = join(stateDirectory, "ctrl.sock");
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return { path, ownDirectory: null };
  const digest = createHash("sha256").update(path).digest("hex").slice(0, 16);
  const ownDirectory = join(tmpDirectory, `sluice-${uid}-${digest}`);
  return { path: join(ownDirectory, "ctrl.sock"), ownDirectory };
}
