// What of Istio's ServiceEntry this release does not act on.
import type { SupportTable } from "./support-table.ts";
import { meshOnly } from "./workload.ts";

export const serviceEntrySupport: SupportTable = {
  refusedFields: {},
  ignoredFields: {
    // They concern mesh identities and meshes of several networks.
    "spec.endpoints[].network": meshOnly,
    "spec.endpoints[].serviceAccount": meshOnly,
  },
  refusedValues: {
    "spec.resolution": {
      NONE: "NONE sends to the address that the client asked for; behind an ingress gateway that is the gateway itself.",
      DYNAMIC_DNS:
        "DYNAMIC_DNS looks up whatever host a client names, which would make the gateway a way into every network it reaches. List the hosts and write DNS.",
    },
  },
};
