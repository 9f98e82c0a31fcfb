// Endpoints as Envoy holds them: in a cluster's load assignment, and in the list of its admin interface that `pc endpoint` prints.
import { type Cluster, type Endpoint, parseLocality, type Table } from "../model/index.ts";
import { type Dialect, type JsonObject, withName } from "./json.ts";
import { socketAddress } from "./listeners.ts";

/** Endpoints by cluster, as Envoy's admin interface lists them; only those of that cluster when one is given. */
export function dumpEndpoints(table: Table, _dialect: Dialect, name?: string): readonly JsonObject[] {
  return withName(
    table.clusters.map((cluster) => ({
      name: cluster.name,
      addedViaApi: true,
      hostStatuses: cluster.endpoints.map(dumpHostStatus),
    })),
    name,
  );
}

function dumpHostStatus({ address, port, weight, healthy, locality, priority }: Endpoint): JsonObject {
  return {
    address: endpointAddress(address, port),
    healthStatus: { edsHealthStatus: healthy ? "HEALTHY" : "UNHEALTHY" },
    weight,
    locality: dumpLocality(locality),
    ...(priority === 0 ? {} : { priority }),
  };
}

/** Endpoints in groups of one priority and locality, in the order of priorities. */
export function loadAssignment({ name, endpoints }: Cluster): JsonObject {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.priority} ${endpoint.locality}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [endpoint]);
    else group.push(endpoint);
  }
  const inOrder = [...groups.values()].toSorted(([a], [b]) => (a?.priority ?? 0) - (b?.priority ?? 0));
  return { clusterName: name, endpoints: inOrder.length === 0 ? [{ lbEndpoints: [] }] : inOrder.map(dumpGroup) };
}

function dumpGroup(group: readonly Endpoint[]): JsonObject {
  const { locality = "", priority = 0 } = group[0] ?? {};
  return {
    ...(locality === "" ? {} : { locality: dumpLocality(locality) }),
    lbEndpoints: group.map(({ address, port, weight, healthy }) => ({
      endpoint: { address: endpointAddress(address, port) },
      ...(healthy ? {} : { healthStatus: "UNHEALTHY" }),
      loadBalancingWeight: weight,
    })),
    ...(priority === 0 ? {} : { priority }),
  };
}

function dumpLocality(text: string): JsonObject {
  const { region, zone, subzone } = parseLocality(text);
  return {
    ...(region === "" ? {} : { region }),
    ...(zone === "" ? {} : { zone }),
    ...(subzone === "" ? {} : { subZone: subzone }),
  };
}

const unixPrefix = "unix://";

/** A Unix socket is a pipe to Envoy; the `@` of an abstract one stays. */
export function endpointAddress(address: string, port: number): JsonObject {
  if (address.startsWith(unixPrefix)) return { pipe: { path: address.slice(unixPrefix.length) } };
  return socketAddress(address, port);
}
