// Small configurations, and certificates for them.

/** A cleartext gateway on the port, and one route to a service with one endpoint. */
export function plainGateway(port: number, prefix = "/"): string {
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: shop, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: ${port}, name: http, protocol: HTTP }
      hosts: ["shop.example"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop, namespace: default }
spec:
  hosts: ["shop.example"]
  gateways: [shop]
  http:
    - match: [{ uri: { prefix: "${prefix}" } }]
      route: [{ destination: { host: backend.example, port: { number: 8000 } } }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: backend, namespace: default }
spec:
  hosts: [backend.example]
  ports: [{ number: 8000, name: http, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1 }]
`;
}

/** A TLS gateway whose certificate and key are files. */
export function tlsGateway(certificate: string, key: string): string {
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: secure, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 443, name: https, protocol: HTTPS }
      hosts: ["shop.example"]
      tls: { mode: SIMPLE, serverCertificate: "${certificate}", privateKey: "${key}" }
`;
}

/** Line 5 is wrong, and nothing else. */
export const brokenGateway = plainGateway(8080).replace("  selector:", "  selektor: {}\n  selector:");
