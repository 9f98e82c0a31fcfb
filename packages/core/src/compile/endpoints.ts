// The addresses behind one port of a Kubernetes Service, from its EndpointSlices or, where it has none, its Endpoints.
import type { Endpoint, EndpointSliceSpec, EndpointsSpec, Resource, ServicePort, ServiceSpec } from "../model/index.ts";
import type { ObjectIndex } from "./object-index.ts";
import { compareText } from "./order.ts";

/** Ports as an EndpointSlice or an Endpoints subset lists them. */
type ListedPorts = readonly { readonly name?: string | null | undefined; readonly port?: number | null | undefined }[];

/** Endpoints of a service port, ready or not, sorted by address and port, each once. */
export function serviceEndpoints(
  service: Resource<ServiceSpec>,
  port: ServicePort,
  objects: ObjectIndex,
): readonly Endpoint[] {
  const slices = objects.slicesOf(service);
  const endpoints = slices.length > 0 ? fromSlices(slices, port) : fromEndpoints(objects.endpointsOf(service), port);
  return uniqueEndpoints(endpoints);
}

function fromSlices(slices: readonly Resource<EndpointSliceSpec>[], port: ServicePort): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const { spec } of slices) {
    const number = endpointPort(spec.ports ?? [], port);
    if (number === null || spec.addressType === "FQDN") continue;
    for (const { addresses, conditions } of spec.endpoints) {
      // Absent or null means unknown, which Kubernetes asks to read as ready.
      const healthy = conditions?.ready !== false;
      for (const address of addresses)
        endpoints.push({ address, port: number, weight: 1, healthy, locality: "", priority: 0 });
    }
  }
  return endpoints;
}

function fromEndpoints(object: Resource<EndpointsSpec> | null, port: ServicePort): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const subset of object?.spec.subsets ?? []) {
    const number = endpointPort(subset.ports ?? [], port);
    if (number === null) continue;
    for (const { ip } of subset.addresses ?? [])
      endpoints.push({ address: ip, port: number, weight: 1, healthy: true, locality: "", priority: 0 });
    for (const { ip } of subset.notReadyAddresses ?? []) {
      endpoints.push({ address: ip, port: number, weight: 1, healthy: false, locality: "", priority: 0 });
    }
  }
  return endpoints;
}

/**
 * The number behind a service port. Kubernetes lists endpoint ports under the service port's name, already resolved; lists
 * written by hand often leave the name out or use the container port's, so a target port that fits is taken too.
 */
function endpointPort(listed: ListedPorts, port: ServicePort): number | null {
  const targetPort = port.targetPort ?? port.port;
  const found =
    listed.find((candidate) => (candidate.name ?? "") === (port.name ?? "")) ??
    listed.find((candidate) => candidate.port === targetPort || candidate.name === targetPort);
  if (found !== undefined) return found.port ?? (typeof targetPort === "number" ? targetPort : null);
  // An empty list means every port (EndpointSlice API): the target port as it is.
  return listed.length === 0 && typeof targetPort === "number" ? targetPort : null;
}

/** Sorted by address and port. An address that is listed twice is ready when one listing says so (slices overlap while they move). */
function uniqueEndpoints(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const unique = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.address} ${endpoint.port}`;
    if (endpoint.healthy || !unique.has(key)) unique.set(key, endpoint);
  }
  return [...unique.values()].toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}
