// One host on ports 80 and 443 with one backend behind it: all that most fault stories need.
import { documents, gatewayResource, httpServer, httpsServer, service, tlsSecret, virtualService } from "./config.ts";
import type { GatewayOptions } from "./gateway.ts";

export const siteHost = "app.example";

type Issued = Parameters<typeof tlsSecret>[1];

/** A file with the host's gateway, routes for these prefixes (none: everything) and backend. */
export function simpleSite(
  backendPort: number,
  options: { readonly certificate?: Issued; readonly prefixes?: readonly string[] } = {},
): GatewayOptions["config"] {
  const { certificate, prefixes = [] } = options;
  const secure = httpsServer([siteHost], { mode: "SIMPLE", credentialName: "app-cert" });
  return {
    "site.yaml": documents(
      gatewayResource("main", [httpServer([siteHost]), ...(certificate === undefined ? [] : [secure])]),
      virtualService("app", { hosts: [siteHost], gateways: ["main"], destination: "app", prefixes }),
      ...(certificate === undefined ? [] : [tlsSecret("app-cert", certificate)]),
    ),
    "backend.yaml": documents(...service("app", backendPort)),
  };
}
