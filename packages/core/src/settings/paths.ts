// Where the paths of sluice.yaml lead, so that ctrl and edge, started apart, agree. Pure: nothing here looks at the disk.
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { Settings } from "./schema.ts";

/** A socket's path must fit in 108 bytes with its final NUL on Linux, 104 on macOS and the BSDs. */
const maxSocketPathBytes = 100;

/** Settings with every path absolute. Relative ones are relative to `baseDirectory`: sluice.yaml's own, or the working directory. */
export function resolveSettings(settings: Settings, baseDirectory: string): Settings {
  const absolute = (path: string) => resolve(baseDirectory, path);
  const { accessLog } = settings.edge;
  const path = accessLog.path === "off" ? "off" : absolute(accessLog.path);
  return {
    ...settings,
    config: { ...settings.config, directory: absolute(settings.config.directory) },
    state: { ...settings.state, directory: absolute(settings.state.directory) },
    edge: { ...settings.edge, accessLog: { ...accessLog, path } },
  };
}

/**
 * The unix socket on which ctrl serves its edges: `<state directory>/ctrl.sock`, or, where that is too long for a socket address,
 * `<tmp directory>/sluice-<16 hex of its SHA-256>.sock`.
 *
 * @param stateDirectory absolute
 * @param tmpDirectory `os.tmpdir()`
 */
export function controlSocketPath(stateDirectory: string, tmpDirectory: string): string {
  const path = join(stateDirectory, "ctrl.sock");
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
  const digest = createHash("sha256").update(path).digest("hex").slice(0, 16);
  return join(tmpDirectory, `sluice-${digest}.sock`);
}
