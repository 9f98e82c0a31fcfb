// The configuration whose cost is measured: hosts with two routes each, a hundred services behind them.
import { compileTable, defaultCompileOptions, parseSources, validateDocuments } from "@sluice/core";
import type { Table } from "@sluice/core/model";

const gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["*"]
`;

function virtualService(index: number, prefix: string): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop-${index}, namespace: default }
spec:
  hosts: [shop-${index}.example.com]
  gateways: [edge]
  http:
    - match: [{ uri: { prefix: ${prefix} } }]
      route: [{ destination: { host: backend-${index % 100}.default.svc.cluster.local, port: { number: 80 } } }]
    - route: [{ destination: { host: backend-${index % 100}.default.svc.cluster.local, port: { number: 80 } } }]
`;
}

function service(index: number): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: backend-${index}, namespace: default }
spec:
  hosts: [backend-${index}.default.svc.cluster.local]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 10.0.${index}.1 }]
`;
}

/** One file of `count` VirtualServices. `changed` says which of them has another prefix than the others. */
export function siteText(count: number, changed = -1): string {
  const services = Array.from({ length: 100 }, (_, index) => service(index));
  const hosts = Array.from({ length: count }, (_, index) =>
    virtualService(index, index === changed ? "/basket" : "/cart"),
  );
  return [gateway, ...services, ...hosts].join("---\n");
}

export function compileSite(text: string): Table {
  const { documents } = parseSources([{ file: "bench.yaml", text }], { defaultNamespace: "default" });
  return compileTable(validateDocuments(documents).resources, defaultCompileOptions).table;
}
