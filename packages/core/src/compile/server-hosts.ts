// The host lists of Gateway servers: namespace prefixes, SNI names, and what a VirtualService's hosts leave of them
// (istio-semantics 2.1, 2.3 and 2.4).
import { narrowerHost } from "../model/index.ts";
import { compareText } from "./order.ts";

/**
 * A server's hosts with their namespaces made explicit: `./h` → `<gateway namespace>/h`, a host of any namespace stays bare,
 * and any namespace with `*` as host is every host of every namespace. Lower case, as DNS compares.
 */
export function sanitizeServerHosts(hosts: readonly string[], gatewayNamespace: string): readonly string[] {
  const sanitized: string[] = [];
  for (const host of hosts) {
    const { namespace, name } = splitServerHost(host);
    if (namespace === "*" && name === "*") return ["*"];
    if (namespace === null || namespace === "*") sanitized.push(name);
    else sanitized.push(`${namespace === "." ? gatewayNamespace : namespace}/${name}`);
  }
  return sanitized;
}

function splitServerHost(host: string): { namespace: string | null; name: string } {
  const slash = host.indexOf("/");
  if (slash < 0) return { namespace: null, name: host.toLowerCase() };
  return { namespace: host.slice(0, slash), name: host.slice(slash + 1).toLowerCase() };
}

/** A server host without its namespace. */
export function bareHost(serverHost: string): string {
  return serverHost.slice(serverHost.indexOf("/") + 1);
}

/** Sorted SNI names; empty where a host is `*`, which is every connection, also one without SNI. */
export function sniNames(serverHosts: readonly string[]): readonly string[] {
  const names = new Set(serverHosts.map(bareHost));
  return names.has("*") ? [] : [...names].toSorted(compareText);
}

/** The server hosts that VirtualServices of a namespace may use, bare. */
export function hostsForNamespace(serverHosts: readonly string[], namespace: string): readonly string[] {
  return serverHosts
    .filter((host) => !host.includes("/") || host.startsWith(`${namespace}/`))
    .map((host) => bareHost(host));
}

/** For each pair where one covers the other the narrower, in the order of the server's hosts; no duplicates. */
export function intersectHosts(serverHosts: readonly string[], otherHosts: readonly string[]): readonly string[] {
  const intersection = new Set<string>();
  for (const serverHost of serverHosts) {
    for (const otherHost of otherHosts) {
      const narrower = narrowerHost(serverHost, otherHost);
      if (narrower !== null) intersection.add(narrower);
    }
  }
  return [...intersection];
}
