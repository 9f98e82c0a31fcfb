// Who is attacked: Sluice with its own codecs and nginx as it comes, each with one worker, in front of one backend.
import { once } from "node:events";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { serverFiles } from "../load/certificates.ts";
import { childPids } from "../load/contenders/children.ts";
import { startSluice, workerPidsOf } from "../load/contenders/sluice.ts";
import { freePorts, isListening } from "../load/ports.ts";
import { type Processes, until } from "../load/processes.ts";

const algorithm = "ecdsa-p256";
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

export interface AttackedOptions {
  readonly processes: Processes;
  readonly directory: string;
  /** For taskset. */
  readonly core: string;
  readonly backend: Backend;
}

export interface Attacked {
  readonly port: number;
  readonly workerPids: readonly number[];
  stop(): Promise<void>;
}

export async function startAttackedNginx({ processes, directory, core, backend }: AttackedOptions): Promise<Attacked> {
  const [port = 0] = await freePorts(1);
  const { certificate, key } = serverFiles(directory, algorithm);
  const home = await mkdtemp(join(directory, "nginx-"));
  // As it comes: nothing is set but what makes a proxy of it.
  const text = `worker_processes 1; daemon off; pid ${home}/pid; error_log stderr crit; events { worker_connections 4096; }
    http { access_log off; upstream backend { server 127.0.0.1:${backend.port}; keepalive 128; }
    server { listen 127.0.0.1:${port} ssl http2; ssl_certificate ${certificate}; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate_key ${key};
    location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } } }`;
  await writeFile(join(home, "nginx.conf"), text);
  const started = processes.start("nginx", ["-c", join(home, "nginx.conf")], { cores: core });
  await until(() => isListening(port), started);
  return { port, workerPids: childPids(started.pid), stop: () => started.stop() };
}

export async function startAttackedSluice({ processes, directory, core, backend }: AttackedOptions): Promise<Attacked> {
  const [port = 0] = await freePorts(1);
  const home = await mkdtemp(join(directory, "sluice-"));
  await mkdir(join(home, "config"));
  await writeFile(join(home, "config/site.yaml"), site(directory, backend));
  const edge = { workers: 1, bind: "127.0.0.1", ports: { 443: port }, engine: "node", codec: "own", drainSeconds: 1 };
  const settings = {
    edge: { ...edge, accessLog: { path: "off" } },
    admin: { address: "127.0.0.1:0" },
    ctrl: { address: "127.0.0.1:0" },
  };
  // JSON is YAML.
  await writeFile(join(home, "sluice.yaml"), JSON.stringify(settings));
  const { started, ready } = await startSluice({ processes, cores: core, file: join(home, "sluice.yaml") });
  return { port, workerPids: await workerPidsOf(ready.ctrl), stop: () => started.stop() };
}

function site(directory: string, { port }: Backend): string {
  const { certificate, key } = serverFiles(directory, algorithm);
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
            tls: { mode: "SIMPLE", serverCertificate: certificate, privateKey: key },
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
