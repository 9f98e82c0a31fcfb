// From the endpoints of a table to what can be connected to: names resolved, those that are not ready left out, duplicates joined.
import { isIP } from "node:net";
import type { Cluster, Endpoint } from "@sluice/core/model";
import { isUnixAddress, parseUnixAddress, type SocketAddress, tcpAddress } from "./socket-address.ts";

/** One endpoint of the balancer. */
export interface Target {
  /** Its name: what it is known by from one version of the cluster to the next. */
  readonly name: string;
  /** One, but for a LOGICAL_DNS host: that has all the addresses of its name, used in turn. */
  readonly addresses: readonly SocketAddress[];
  readonly locality: string;
  readonly priority: number;
  weight: number;
}

/** Host names of the endpoints that have to be resolved. */
export function hostsOf({ endpoints }: Cluster): string[] {
  return endpoints.map(({ address }) => address).filter(needsResolving);
}

/**
 * Usable endpoints by name, in the table's order. One listed twice counts once: with both weights, or, in different priorities, in
 * the one that is used first.
 *
 * @param addressesOf what a host name has resolved to so far
 */
export function targetsOf(cluster: Cluster, addressesOf: (host: string) => readonly string[]): Map<string, Target> {
  const targets = new Map<string, Target>();
  for (const endpoint of cluster.endpoints) {
    if (!endpoint.healthy) continue;
    for (const target of targetsOfEndpoint(endpoint, cluster.discovery, addressesOf)) {
      const known = targets.get(target.name);
      if (known === undefined || target.priority < known.priority) targets.set(target.name, target);
      else if (target.priority === known.priority) known.weight += target.weight;
    }
  }
  return targets;
}

function targetsOfEndpoint(
  { address, port, weight, locality, priority }: Endpoint,
  discovery: Cluster["discovery"],
  addressesOf: (host: string) => readonly string[],
): Target[] {
  const toTarget = (name: string, addresses: readonly SocketAddress[]): Target => ({
    name,
    addresses,
    locality,
    priority,
    weight,
  });
  if (isUnixAddress(address)) {
    const socket = parseUnixAddress(address);
    return socket === null ? [] : [toTarget(socket.name, [socket])];
  }
  const hosts = isIP(address) === 0 ? addressesOf(address) : [address];
  const sockets = hosts.map((host) => tcpAddress(host, port));
  if (discovery === "LOGICAL_DNS" && isIP(address) === 0) {
    return sockets.length === 0 ? [] : [toTarget(`${address}:${port}`, sockets)];
  }
  return sockets.map((socket) => toTarget(socket.name, [socket]));
}

function needsResolving(address: string): boolean {
  return isIP(address) === 0 && !isUnixAddress(address);
}
