// Which engine serves a listener. uWebSockets.js where it is correct to, Node.js for everything else (docs/adr/0001).
import type { Engine, FilterChain, Listener, TlsContext } from "../model/index.ts";
import { isWildcardHost } from "../model/index.ts";
import type { BoundServer } from "./gateways.ts";

export interface EngineChoice {
  readonly engine: Engine;
  readonly engineReason: string;
}

/** What the choice depends on beside the chains. */
export interface EngineFacts {
  readonly transport: Listener["transport"];
  readonly servers: readonly BoundServer[];
  /** Set by `edge.engine: node`. */
  readonly forced: boolean;
  /** The Gateway whose annotation asks for Node.js, or null. */
  readonly annotatedBy: string | null;
  /** The Gateway whose annotation asks for PROXY protocol headers, or null. */
  readonly proxyProtocolBy: string | null;
}

/** Chooses and says why, for `pc listener`. The first thing that needs Node.js is the reason. */
export function chooseEngine(chains: readonly FilterChain[], facts: EngineFacts): EngineChoice {
  const reason = facts.forced
    ? "edge.engine is node, or edge.http10 is on"
    : (findAnnotation(facts) ?? findNeedForNode(chains, facts));
  if (reason !== null) return { engine: "node", engineReason: reason };
  if (facts.transport === "http") return { engine: "uws", engineReason: "cleartext HTTP/1.1" };
  return { engine: "uws", engineReason: "every TLS server is SIMPLE and offers HTTP/1.1 only" };
}

function findAnnotation({ annotatedBy }: EngineFacts): string | null {
  return annotatedBy === null ? null : `annotation sluice.dev/engine of Gateway ${annotatedBy}`;
}

function findNeedForNode(
  chains: readonly FilterChain[],
  { transport, servers, proxyProtocolBy }: EngineFacts,
): string | null {
  if (transport === "tcp") return "TCP without HTTP";
  // uWebSockets.js reads version 2 only, and lets in connections without a header: whoever reaches the port could name any address.
  if (proxyProtocolBy !== null) return `PROXY protocol (annotation of Gateway ${proxyProtocolBy})`;
  if (transport === "http") return findCleartextHttp2(servers);
  for (const { tls, serverNames, forward } of chains) {
    const need =
      tls === null ? "TLS passthrough" : forward !== null ? "TCP inside TLS" : findHttpsNeed(tls, serverNames);
    if (need !== null) return need;
  }
  return null;
}

function findHttpsNeed(tls: TlsContext, serverNames: readonly string[]): string | null {
  return findTlsNeed(tls) ?? findSniNeed(serverNames);
}

function findCleartextHttp2(servers: readonly BoundServer[]): string | null {
  const protocols = servers.map(({ server }) => server.port.protocol);
  const needsHttp2 = protocols.some((protocol) => protocol === "HTTP2" || protocol === "GRPC");
  return needsHttp2 ? "HTTP/2 without TLS" : null;
}

// uWebSockets.js asks for client certificates without requiring them, and ignores the CA of a server name altogether: a client
// without a certificate would be served. Whatever is about client certificates goes to Node.js.
function findTlsNeed(tls: TlsContext): string | null {
  if (tls.mode !== "SIMPLE" || tls.clientValidation !== null) return `client certificates (${tls.mode})`;
  if (tls.alpn.includes("h2")) return "offers h2";
  if (tls.minVersion !== "TLSv1.2" || tls.maxVersion !== "TLSv1.3") return "TLS versions are set";
  if (tls.cipherSuites.length > 0) return "cipher suites are set";
  if (tls.ecdhCurves.length > 0) return "key exchange groups are set";
  return tls.certificates.length === 1 ? null : "several certificates for one server";
}

/** The deepest server name that uWebSockets.js can match. */
const maxLabels = 10;

/** In uWebSockets.js `*.a.com` covers one label; in Envoy any number. */
function findSniNeed(serverNames: readonly string[]): string | null {
  const wildcard = serverNames.find(isWildcardHost);
  if (wildcard !== undefined) return `wildcard server name ${wildcard}`;
  const deep = serverNames.find((name) => name.split(".").length > maxLabels);
  return deep === undefined ? null : `more than ${maxLabels} labels in server name ${deep}`;
}
