// Kubernetes objects by namespace and name, for look-ups that would otherwise walk every list once a server or cluster.
import {
  type EndpointSliceSpec,
  type EndpointsSpec,
  type KeyValueSpec,
  LabelIndex,
  type PodSpec,
  type Resource,
  type ResourceSet,
  type TargetRef,
  type WorkloadEntrySpec,
  workloadLabels,
} from "../model/index.ts";

const serviceNameLabel = "kubernetes.io/service-name";

export class ObjectIndex {
  readonly workloadEntries: LabelIndex<WorkloadEntrySpec>;
  readonly pods: LabelIndex<PodSpec>;
  readonly #secrets: ReadonlyMap<string, Resource<KeyValueSpec>>;
  readonly #configMaps: ReadonlyMap<string, Resource<KeyValueSpec>>;
  readonly #endpoints: ReadonlyMap<string, Resource<EndpointsSpec>>;
  readonly #podsByName: ReadonlyMap<string, Resource<PodSpec>>;
  readonly #slices = new Map<string, Resource<EndpointSliceSpec>[]>();

  constructor(resources: ResourceSet) {
    this.workloadEntries = new LabelIndex(resources.workloadEntries, workloadLabels);
    this.pods = new LabelIndex(resources.pods, ({ labels }) => labels);
    this.#podsByName = byName(resources.pods);
    this.#secrets = byName(resources.secrets);
    this.#configMaps = byName(resources.configMaps);
    this.#endpoints = byName(resources.endpoints);
    for (const slice of resources.endpointSlices) this.#addSlice(slice);
  }

  keyValues(kind: "Secret" | "ConfigMap", namespace: string, name: string): Resource<KeyValueSpec> | null {
    return (kind === "Secret" ? this.#secrets : this.#configMaps).get(`${namespace}/${name}`) ?? null;
  }

  /** The Endpoints object of a Service: it has the Service's name. */
  endpointsOf(service: Resource<unknown>): Resource<EndpointsSpec> | null {
    return this.#endpoints.get(`${service.namespace}/${service.name}`) ?? null;
  }

  /** The EndpointSlices of a Service: they name it in a label. */
  slicesOf(service: Resource<unknown>): readonly Resource<EndpointSliceSpec>[] {
    return this.#slices.get(`${service.namespace}/${service.name}`) ?? [];
  }

  /** The labels of the Pod behind an address; null when it is no Pod, or none that was read. */
  podLabels(target: TargetRef | undefined, namespace: string): Readonly<Record<string, string>> | null {
    if (target?.kind !== "Pod" || target.name === undefined) return null;
    return this.#podsByName.get(`${target.namespace ?? namespace}/${target.name}`)?.labels ?? null;
  }

  #addSlice(slice: Resource<EndpointSliceSpec>): void {
    const service = slice.labels[serviceNameLabel];
    if (service === undefined) return;
    const key = `${slice.namespace}/${service}`;
    const slices = this.#slices.get(key);
    if (slices === undefined) this.#slices.set(key, [slice]);
    else slices.push(slice);
  }
}

function byName<Spec>(resources: readonly Resource<Spec>[]): ReadonlyMap<string, Resource<Spec>> {
  return new Map(resources.map((resource) => [`${resource.namespace}/${resource.name}`, resource]));
}
