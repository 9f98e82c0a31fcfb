// What of Istio's ServiceEntry this release does not act on.
import type { SupportTable } from "./support-table.ts";

const meshOnly = "It describes the endpoint to a mesh; an ingress gateway outside of one has no use for it.";

export const serviceEntrySupport: SupportTable = {
  refusedFields: {
    "spec.workloadSelector": "endpoints from WorkloadEntries and pods",
  },
  ignoredFields: {
    // Locality decides between endpoints only with a DestinationRule's localityLbSetting, which is refused; the others concern
    // mesh identities and multi-network meshes.
    "spec.endpoints[].locality": meshOnly,
    "spec.endpoints[].network": meshOnly,
    "spec.endpoints[].serviceAccount": meshOnly,
  },
  refusedValues: {
    "spec.resolution": {
      NONE: "NONE sends to the address that the client asked for; behind an ingress gateway that is the gateway itself.",
      DNS_ROUND_ROBIN: "Write DNS.",
      DYNAMIC_DNS: "List the hosts and write DNS.",
    },
  },
};
