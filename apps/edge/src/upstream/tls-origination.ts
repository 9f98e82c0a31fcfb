// TLS towards the upstreams of one cluster: what is shown, what is trusted, and whether who answers is who was meant. Made anew
// when the cluster or a secret it names changes; a cluster that names something unusable opens no connection at all.
import { createHash, type X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from "node:tls";
import { certificateHasName } from "@sluice/core/match";
import { isCertificate, pemBlocks } from "@sluice/core/model";
import type { SecretResource, UpstreamTls } from "@sluice/core/model";
import { LRUCache } from "lru-cache";
import { systemRoots } from "./system-roots.ts";

/** Resolves a secret by name; null when the table does not hold it. */
export type SecretLookup = (name: string) => SecretResource | null;

/** For tables without secrets. */
export const noSecrets: SecretLookup = () => null;

/** Sessions of one cluster that may be resumed, by endpoint and server name. */
const maxSessions = 256;

/** In a resumed handshake no certificate is sent, and Node shows a client none: the one of the full handshake stays with the session. */
export interface KeptSession {
  readonly session: Buffer;
  readonly certificate: X509Certificate;
}

interface Handshake {
  readonly key: string;
  readonly kept: KeptSession | undefined;
  /** Set by `verify`. */
  certificate: X509Certificate | null;
  /** Tickets of TLS 1.2 come before the handshake is done. */
  earlySession: Buffer | null;
}

export class TlsOrigination {
  /** Changes when anything does that this was made of. */
  readonly digest: string;
  /** Why no connection may be opened, for logs; null when all is well. */
  readonly problem: string | null;
  readonly context: SecureContext | null;
  readonly acceptsUntrusted: boolean;
  private readonly sni: string;
  private readonly subjectAltNames: readonly string[];
  private readonly sessions: LRUCache<string, KeptSession>;
  private readonly handshakes: WeakMap<TLSSocket, Handshake>;

  constructor(tls: UpstreamTls, secret: SecretLookup) {
    this.digest = originationDigest(tls, secret);
    this.acceptsUntrusted = tls.acceptsUntrusted;
    this.sni = tls.sni;
    this.subjectAltNames = tls.subjectAltNames;
    this.sessions = new LRUCache({ max: maxSessions });
    this.handshakes = new WeakMap();
    const made = makeContext(tls, secret);
    this.problem = typeof made === "string" ? made : null;
    this.context = typeof made === "string" ? null : made;
  }

  /** The name that is sent and checked, for a request to this host. */
  serverNameFor(host: string): string {
    return this.sni === "" ? host.replace(/^\[(.*)\]$/, "$1") : this.sni;
  }

  /** Whether the name depends on the request, so that connections cannot be shared between hosts. */
  get isNamedByRequest(): boolean {
    return this.sni === "";
  }

  keptSession(key: string): KeptSession | undefined {
    return this.sessions.get(key);
  }

  /** Keeps under `key` the sessions that `socket` is given, once `verify` has passed it. `kept`: the one it was opened with. */
  watchSessions(socket: TLSSocket, key: string, kept: KeptSession | undefined): void {
    const handshake: Handshake = { key, kept, certificate: null, earlySession: null };
    this.handshakes.set(socket, handshake);
    socket.on("session", (session: Buffer) => {
      if (handshake.certificate === null) handshake.earlySession = session;
      else this.sessions.set(key, { session, certificate: handshake.certificate });
    });
  }

  /**
   * Why the upstream is not the one meant, or null. Asked after every handshake: OpenSSL has judged the chain, but Node asks for
   * the name only in full handshakes, and a resumed session was judged in the past.
   */
  verify(socket: TLSSocket, serverName: string): string | null {
    if (this.acceptsUntrusted) return null;
    if (!socket.authorized) return "certificate not trusted";
    const handshake = this.handshakes.get(socket);
    const resumed = socket.isSessionReused() ? handshake?.kept?.certificate : undefined;
    const certificate = socket.getPeerX509Certificate() ?? resumed;
    if (certificate === undefined) return "no certificate";
    const nowMs = Date.now();
    // Written so that a date that could not be read (NaN) refuses.
    if (!(Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo)))
      return "certificate expired";
    const isMeant =
      this.subjectAltNames.length === 0
        ? isNamed(certificate, serverName)
        : certificateHasName(certificate.raw, this.subjectAltNames);
    if (!isMeant) return "certificate has another name";
    if (handshake !== undefined) this.keepVerified(handshake, certificate);
    return null;
  }

  private keepVerified(handshake: Handshake, certificate: X509Certificate): void {
    const { earlySession, key } = handshake;
    handshake.certificate = certificate;
    if (earlySession !== null) this.sessions.set(key, { session: earlySession, certificate });
  }
}

/** RFC 6125: subject alternative names only, a wildcard is a whole left-most label. */
function isNamed(certificate: X509Certificate, serverName: string): boolean {
  if (isIP(serverName) !== 0) return certificate.checkIP(serverName) !== undefined;
  const options = { subject: "never", wildcards: true, partialWildcards: false, multiLabelWildcards: false } as const;
  return serverName !== "" && certificate.checkHost(serverName, options) !== undefined;
}

/** The context, or why there can be none. */
function makeContext(tls: UpstreamTls, secret: SecretLookup): SecureContext | string {
  const options: SecureContextOptions = { minVersion: "TLSv1.2" };
  if (tls.certificate !== null) {
    const { status, certificateChain, privateKey } = secret(tls.certificate) ?? missing;
    if (status !== "ready" || certificateChain === null || privateKey === null) return "client certificate missing";
    options.cert = certificateChain;
    options.key = privateKey.reveal();
  }
  if (tls.trustedCa === null) {
    options.ca = systemRoots();
  } else {
    const { status, trustedCa } = secret(tls.trustedCa) ?? missing;
    const blocks = status === "ready" && trustedCa !== null ? pemBlocks(trustedCa, "CERTIFICATE") : [];
    if (blocks.length === 0 || !blocks.every(isCertificate)) return "CA missing or invalid";
    options.ca = blocks;
  }
  if (tls.crl !== null) {
    const { status, crl } = secret(tls.crl) ?? missing;
    // Node reads only the first list of a text, so each goes in by itself.
    const lists = status === "ready" && crl !== null ? pemBlocks(crl, "X509 CRL") : [];
    if (lists.length === 0) return "revocation list missing or invalid";
    options.crl = lists;
  }
  try {
    return createSecureContext(options);
  } catch {
    // OpenSSL's message may quote its input: none of it is passed on.
    return "certificates or key unusable";
  }
}

const missing = { status: "missing", certificateChain: null, privateKey: null, trustedCa: null, crl: null } as const;

/** Digest of all that a `TlsOrigination` is made of. Contents count, not names: a renewed certificate under the same name is another one. */
export function originationDigest(tls: UpstreamTls, secret: SecretLookup): string {
  const hash = createHash("sha256").update(JSON.stringify(tls));
  for (const name of [tls.certificate, tls.trustedCa, tls.crl]) {
    const { status, certificateChain, privateKey, trustedCa, crl } = (name === null ? null : secret(name)) ?? missing;
    hash.update(JSON.stringify([status, certificateChain, privateKey?.reveal(), trustedCa, crl]));
  }
  return hash.digest("base64url");
}
