// The addresses behind one port of a Kubernetes Service: its EndpointSlices or, where it has none, its Endpoints, and the
// WorkloadEntries that its selector picks.
import {
  type EndpointAddress,
  type EndpointConditions,
  type EndpointSliceSpec,
  type EndpointsSpec,
  formatLocality,
  type Locality,
  parseLocality,
  plainEndpoint,
  type Resource,
  type ServicePort,
  type ServiceSpec,
  type SliceEndpoint,
  type TargetRef,
} from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import type { Instance } from "./instances.ts";
import { type PortOfWorkload, workloadInstances } from "./workload-instances.ts";

/** Ports as an EndpointSlice or an Endpoints subset lists them. */
type ListedPorts = readonly { readonly name?: string | null | undefined; readonly port?: number | null | undefined }[];

/** Endpoints of a service port, ready or not. */
export function serviceInstances(
  service: Resource<ServiceSpec>,
  port: ServicePort,
  context: CompileContext,
): readonly Instance[] {
  const slices = context.objects.slicesOf(service);
  const listed =
    slices.length > 0
      ? slices.flatMap((slice) => fromSlice(slice, port, context))
      : fromEndpoints(service, port, context);
  const selector = service.spec.selector ?? {};
  // Without a selector Kubernetes leaves the endpoints to whoever writes them by hand.
  if (Object.keys(selector).length === 0) return listed;
  const scope = { namespace: service.namespace, selector, resolvesNames: false };
  return [...listed, ...workloadInstances(context.objects.workloadEntries, portOfService(port), scope)];
}

/** By the service port's name or that of its target port, else the target port itself. */
function portOfService({ name = "", port, targetPort }: ServicePort): PortOfWorkload {
  return {
    names: [name, ...(typeof targetPort === "string" ? [targetPort] : [])],
    otherwise: typeof targetPort === "number" ? targetPort : port,
  };
}

function fromSlice(
  slice: Resource<EndpointSliceSpec>,
  port: ServicePort,
  { objects, options }: CompileContext,
): readonly Instance[] {
  const number = endpointPort(slice.spec.ports ?? [], port);
  if (number === null || slice.spec.addressType === "FQDN") return [];
  const gateway = parseLocality(options.gateway.locality);
  return slice.spec.endpoints.flatMap((entry) => {
    const labels = objects.podLabels(entry.targetRef, slice.namespace) ?? slice.labels;
    const locality = localityOf({ zone: zoneOf(entry), region: slice.labels[regionLabel] }, gateway);
    const healthy = isHealthy(entry.conditions ?? {});
    return entry.addresses.map((address) => ({
      endpoint: { ...plainEndpoint(address, number), healthy, locality },
      labels: withNode(labels, entry.nodeName),
    }));
  });
}

function fromEndpoints(
  service: Resource<ServiceSpec>,
  port: ServicePort,
  { objects }: CompileContext,
): readonly Instance[] {
  const object: Resource<EndpointsSpec> | null = objects.endpointsOf(service);
  const toInstance = (entry: EndpointAddress, number: number, healthy: boolean): Instance => ({
    endpoint: { ...plainEndpoint(entry.ip, number), healthy },
    labels: withNode(labelsOf(entry.targetRef), entry.nodeName),
  });
  const labelsOf = (target: TargetRef | undefined): Instance["labels"] =>
    objects.podLabels(target, service.namespace) ?? object?.labels ?? {};
  return (object?.spec.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const number = endpointPort(ports, port);
    if (number === null) return [];
    return [
      ...addresses.map((entry) => toInstance(entry, number, true)),
      ...notReadyAddresses.map((entry) => toInstance(entry, number, false)),
    ];
  });
}

/**
 * Kubernetes' own rule: `ready` decides, and unknown means ready. It says false already of an endpoint that terminates, unless its
 * Service publishes such addresses on purpose. Where only the other two are given, `ready` follows from them.
 */
function isHealthy({ ready, serving, terminating }: EndpointConditions): boolean {
  return ready ?? ((serving ?? true) && terminating !== true);
}

/** The zone an endpoint runs in or, where that is not said, the only one it is meant for. */
function zoneOf({ zone, hints }: SliceEndpoint): string {
  const [hint, ...others] = hints?.forZones ?? [];
  return zone ?? (others.length === 0 ? (hint?.name ?? "") : "");
}

const regionLabel = "topology.kubernetes.io/region";

/**
 * Kubernetes tells the zone of an endpoint, not its region. The zones of AWS, Google and Azure begin with their region's name, so one
 * that begins with the gateway's region, or is the gateway's zone, is in that region. Of others the region stays unknown.
 */
function localityOf(
  { zone, region }: { readonly zone: string; readonly region: string | undefined },
  gateway: Locality,
): string {
  const isOurs = zone !== "" && (zone === gateway.zone || (gateway.region !== "" && zone.startsWith(gateway.region)));
  return formatLocality({ region: region ?? (isOurs ? gateway.region : ""), zone, subzone: "" });
}

function withNode(labels: Instance["labels"], nodeName: string | undefined): Instance["labels"] {
  return nodeName === undefined ? labels : { ...labels, "kubernetes.io/hostname": nodeName };
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
