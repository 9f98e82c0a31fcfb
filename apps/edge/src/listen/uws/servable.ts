// What this engine must never be given, checked once more where it would do harm. The compiler sends such listeners to
// listen/node; a mistake there must end in a refused table, not in a port that does not ask for client certificates.
import type { FilterChain, Listener, TlsContext } from "@sluice/core/model";

/** The engine compares at most ten labels of a server name. */
const maxLabels = 10;

/** Throws when uWebSockets.js would not serve the listener as the table says. */
export function assertServable(listener: Listener): void {
  for (const chain of listener.filterChains) {
    const problem = findProblem(listener, chain);
    if (problem === null) continue;
    throw new Error(`listener ${listener.name}, chain ${chain.name}: ${problem}; this needs engine node`);
  }
}

function findProblem(listener: Listener, { tls, serverNames, forward }: FilterChain): string | null {
  const { transport } = listener;
  // Nothing can be read before the engine reads it: a PROXY header would be taken for a request.
  if (listener.acceptsProxyProtocol) return "PROXY protocol";
  if (transport === "tcp" || forward !== null) return "raw connections";
  if (transport === "http") return tls === null ? null : "TLS on a cleartext listener";
  if (tls === null) return "no TLS context on a TLS listener";
  return findTlsProblem(tls) ?? findNameProblem(serverNames);
}

function findTlsProblem(tls: TlsContext): string | null {
  // `ca_file_name` asks for a certificate without requiring one, and `addServerName` ignores it: clients without one are served.
  if (tls.mode !== "SIMPLE" || tls.clientValidation !== null) return "client certificates";
  if (tls.alpn.includes("h2")) return "HTTP/2";
  if (tls.minVersion !== "TLSv1.2" || tls.maxVersion !== "TLSv1.3") return "TLS versions other than 1.2 and 1.3";
  if (tls.cipherSuites.length > 0 || tls.ecdhCurves.length > 0) return "cipher suites or groups";
  return tls.certificates.length > 1 ? "several certificates" : null;
}

function findNameProblem(serverNames: readonly string[]): string | null {
  for (const name of serverNames) {
    // Here a wildcard covers one label, in Envoy any number.
    if (name.includes("*")) return `wildcard server name ${name}`;
    if (name.split(".").length > maxLabels) return `server name ${name} has more than ${maxLabels} labels`;
  }
  return null;
}
