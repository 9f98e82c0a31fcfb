// The configuration whose changes are measured: hosts with two routes each, the last of which answers with its generation.

export const gatewayDocument = {
  apiVersion: "networking.istio.io/v1",
  kind: "Gateway",
  metadata: { name: "edge", namespace: "default" },
  spec: {
    selector: { istio: "ingressgateway" },
    servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
  },
};

export function virtualService(index: number, generation: number): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: `shop-${index}`, namespace: "default" },
    spec: {
      hosts: [`shop-${index}.example.com`],
      gateways: ["edge"],
      http: [
        { match: [{ uri: { prefix: "/cart" } }], redirect: { uri: "/basket" } },
        { directResponse: { status: 200, body: { string: String(generation) } } },
      ],
    },
  };
}

/** Resources as one body for the API. */
export function document(resources: readonly object[]): object {
  return { apiVersion: "v1", kind: "List", items: resources };
}
