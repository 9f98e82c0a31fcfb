// The addresses behind one port of the ServiceEntries of a host: listed ones, the host itself where DNS is to find it, or the
// workloads that a selector picks (istio-semantics 1.4).
import { type Cluster, plainEndpoint, type ServiceEntrySpec } from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import type { Discovered, Instance } from "./instances.ts";
import type { EntryPort, KnownEntryPort } from "./service-registry.ts";
import { podInstances, toInstance, workloadInstances } from "./workload-instances.ts";

export function entryInstances(known: KnownEntryPort, host: string, context: CompileContext): Discovered {
  const discovery = discoveryOf(known.entry.spec.resolution);
  const declarations = [known, ...known.joined];
  return { discovery, instances: declarations.flatMap((one) => instancesOf(one, host, context)) };
}

/** Validation lets no other resolution through. */
function discoveryOf(resolution: ServiceEntrySpec["resolution"]): Cluster["discovery"] {
  if (resolution === "DNS") return "STRICT_DNS";
  return resolution === "DNS_ROUND_ROBIN" ? "LOGICAL_DNS" : "STATIC";
}

function instancesOf({ entry, port }: EntryPort, host: string, { objects }: CompileContext): readonly Instance[] {
  const { resolution, endpoints = [], workloadSelector } = entry.spec;
  const resolvesNames = resolution !== "STATIC";
  const wanted = { names: [port.name], otherwise: port.targetPort ?? port.number };
  if (workloadSelector !== undefined) {
    const scope = { namespace: entry.namespace, selector: workloadSelector.labels ?? {}, resolvesNames };
    const workloads = workloadInstances(objects.workloadEntries, wanted, scope);
    return [...workloads, ...podInstances(objects.pods, wanted, scope)];
  }
  if (endpoints.length === 0 && resolvesNames && !host.startsWith("*")) {
    return [{ endpoint: plainEndpoint(host, wanted.otherwise), labels: {} }];
  }
  return endpoints.map((endpoint) => toInstance(endpoint, wanted));
}
