// Who is attacked: Sluice with its own codecs and nginx as it comes, each with one worker, in front of one backend.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Contender, startNginx, startSluiceWith } from "../contenders.ts";

export const attackPorts = { nginx: 19_032, sluice: 19_034 };
/** What the attacks call the site. */
const host = "a.example";
const largeBody = Buffer.alloc(1024 * 1024, "sluice gate ");
const largeBodyCount = 64;

export interface Backend {
  readonly port: number;
  close(): void;
}

/** Reads what it is sent and says little; `/large` is more than any window. */
export async function startAttackBackend(): Promise<Backend> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.on("error", ignoreError).resume();
    response.on("error", ignoreError);
    if (request.url === "/large") sendLarge(response, largeBodyCount);
    else request.once("end", () => response.end("ok"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function sendLarge(response: ServerResponse, left: number): void {
  if (response.destroyed) return;
  if (left === 0) response.end();
  else response.write(largeBody, () => sendLarge(response, left - 1));
}

function ignoreError(): void {
  // Attackers break things off.
}

export function startAttackedNginx(directory: string, core: number, backend: Backend): Promise<Contender> {
  // Requests of a connection as it comes, where the benchmarks of load lift the limit.
  const http = `upstream backend { server 127.0.0.1:${backend.port}; keepalive 128; }
    server { listen 127.0.0.1:${attackPorts.nginx} ssl http2; keepalive_requests 1000; ssl_certificate ${directory}/tls.crt; ssl_certificate_key ${directory}/tls.key;
      location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } }`;
  return startNginx(directory, { name: "attacked", http, core });
}

export function startAttackedSluice(directory: string, core: number, backend: Backend): Promise<Contender> {
  const edge = { ports: { 443: attackPorts.sluice }, codec: "own", engine: "node" };
  return startSluiceWith(directory, { name: "attacked", core, edge, site: site(directory, backend) });
}

function site(directory: string, { port }: Backend): string {
  const documents = [
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: { name: "attacked", annotations: { "sluice.dev/alpn": "h2,http/1.1" } },
      spec: {
        selector: { istio: "ingressgateway" },
        servers: [
          {
            port: { number: 443, name: "https", protocol: "HTTPS" },
            hosts: ["*"],
            tls: { mode: "SIMPLE", serverCertificate: `${directory}/tls.crt`, privateKey: `${directory}/tls.key` },
          },
        ],
      },
    },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "attacked" },
      spec: {
        hosts: [host],
        gateways: ["attacked"],
        http: [{ route: [{ destination: { host: "backend", port: { number: 80 } } }] }],
      },
    },
    { apiVersion: "v1", kind: "Service", metadata: { name: "backend" }, spec: { ports: [{ name: "http", port: 80 }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "backend-1", labels: { "kubernetes.io/service-name": "backend" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["127.0.0.1"] }],
      ports: [{ name: "http", port }],
    },
  ];
  return documents.map((document) => JSON.stringify(document)).join("\n---\n");
}
