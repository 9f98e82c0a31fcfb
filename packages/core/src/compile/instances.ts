// What a host's port leads to before any DestinationRule: endpoints with the labels by which subsets and priorities tell them apart.
import type { Cluster, Endpoint } from "../model/index.ts";
import { plainEndpoint } from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { entryInstances } from "./entry-instances.ts";
import { serviceInstances } from "./service-instances.ts";
import { compareText } from "./order.ts";
import type { KnownPort } from "./service-registry.ts";

export interface Instance {
  readonly endpoint: Endpoint;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Discovered {
  readonly discovery: Cluster["discovery"];
  /** Sorted by address and port, each once. */
  readonly instances: readonly Instance[];
}

/** The endpoints of a port, ready or not. */
export function discover(known: KnownPort, host: string, context: CompileContext): Discovered {
  const { discovery, instances } = findInstances(known, host, context);
  return { discovery, instances: uniqueInstances(instances) };
}

function findInstances(known: KnownPort, host: string, context: CompileContext): Discovered {
  if (known.kind === "entry") return entryInstances(known, host, context);
  const { externalName } = known.service.spec;
  if (externalName === undefined) {
    return { discovery: "EDS", instances: serviceInstances(known.service, known.port, context) };
  }
  // The port of an ExternalName Service is the port of the name it stands for: nothing in between could translate it.
  const endpoint = plainEndpoint(externalName, known.port.port);
  return { discovery: "STRICT_DNS", instances: [{ endpoint, labels: {} }] };
}

/** An address that is listed twice is ready when one listing says so (EndpointSlices overlap while endpoints move). */
function uniqueInstances(instances: readonly Instance[]): readonly Instance[] {
  const unique = new Map<string, Instance>();
  for (const instance of instances) {
    const key = `${instance.endpoint.address} ${instance.endpoint.port}`;
    if (instance.endpoint.healthy || !unique.has(key)) unique.set(key, instance);
  }
  return [...unique.values()].toSorted(
    ({ endpoint: a }, { endpoint: b }) => compareText(a.address, b.address) || a.port - b.port,
  );
}
