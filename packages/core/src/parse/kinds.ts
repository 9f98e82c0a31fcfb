// The kinds that Sluice reads and the API versions it accepts them in (CONTRACT, "Configuration it reads").
import type { Kind } from "../model/index.ts";

interface KindVersions {
  readonly group: string;
  /** Accepted versions; the first is the current one. */
  readonly versions: readonly string[];
}

const istioNetworking: KindVersions = { group: "networking.istio.io", versions: ["v1", "v1beta1", "v1alpha3"] };
const kubernetesCore: KindVersions = { group: "", versions: ["v1"] };

const kinds: Readonly<Record<Kind, KindVersions>> = {
  Gateway: istioNetworking,
  VirtualService: istioNetworking,
  DestinationRule: istioNetworking,
  ServiceEntry: istioNetworking,
  WorkloadEntry: istioNetworking,
  Secret: kubernetesCore,
  ConfigMap: kubernetesCore,
  Service: kubernetesCore,
  Endpoints: kubernetesCore,
  EndpointSlice: { group: "discovery.k8s.io", versions: ["v1"] },
  Pod: kubernetesCore,
};

export const knownKinds: readonly string[] = Object.keys(kinds);

export function isKnownKind(kind: string): kind is Kind {
  return Object.hasOwn(kinds, kind);
}

/** `networking.istio.io/v1`: what a document of this kind without `apiVersion` is read as. */
export function currentApiVersion(kind: Kind): string {
  return acceptedApiVersions(kind)[0] ?? "";
}

/** Every `apiVersion` this kind is read in, the current one first. */
export function acceptedApiVersions(kind: Kind): readonly string[] {
  const { group, versions } = kinds[kind];
  return versions.map((version) => (group === "" ? version : `${group}/${version}`));
}

/** Whether the `apiVersion` is this kind's, another version of its group, or another group's kind of the same name. */
export function judgeApiVersion(kind: Kind, apiVersion: string): "accepted" | "other-version" | "other-group" {
  if (acceptedApiVersions(kind).includes(apiVersion)) return "accepted";
  const slash = apiVersion.lastIndexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return group === kinds[kind].group ? "other-version" : "other-group";
}
