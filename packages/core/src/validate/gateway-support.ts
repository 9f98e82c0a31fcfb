// What of Istio's Gateway this release does not act on.
import type { SupportTable } from "./support-table.ts";

const opaqueTcp = "Write TCP: the bytes are passed on unread in either case.";

export const gatewaySupport: SupportTable = {
  refusedFields: {
    // Istio's own webhook refuses it: it suggests a translation of ports that does not take place.
    "spec.servers[].port.targetPort": "Istio refuses it too: a Gateway does not translate ports",
  },
  ignoredFields: {
    // Declared in the API, implemented by no release of Istio.
    "spec.servers[].defaultEndpoint": "No release of Istio implements it; route the host with a VirtualService.",
  },
  refusedValues: {
    "spec.servers[].tls.mode": {
      AUTO_PASSTHROUGH: "AUTO_PASSTHROUGH routes by the SNI between clusters of a mesh; Sluice is not part of a mesh.",
      ISTIO_MUTUAL:
        "ISTIO_MUTUAL takes certificates from a mesh's own authority. Use MUTUAL and name the certificates.",
    },
    "spec.servers[].port.protocol": { REDIS: opaqueTcp, MYSQL: opaqueTcp, UDP: "Sluice listens on TCP only." },
  },
};
