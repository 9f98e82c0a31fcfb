// Who is measured: nginx and Sluice, each with one worker on one core, in front of the same backend, adding the same kind of headers.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAuthority } from "@sluice/demo/certificates";
import { processTree } from "./cpu.ts";

export const ports = {
  backend: 19_000,
  nginx: 19_001,
  nginxTls: 19_002,
  uws: 19_011,
  uwsTls: 19_012,
  node: 19_013,
  nodeTls: 19_014,
  own: 19_023,
  ownTls: 19_024,
};
const sluice = fileURLToPath(new URL("../../node_modules/@sluice/ctrl/bin/sluice.js", import.meta.url));

export interface Contender {
  /** Processes whose CPU counts: those that requests pass through. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** A backend that answers from memory, on the load generator's core. */
export function startBackend(directory: string, core: number): Promise<Contender> {
  const server = `server { listen 127.0.0.1:${ports.backend}; location / { return 200 '{"ok":true,"message":"hello from the backend"}'; } }`;
  return startNginx(directory, { name: "backend", http: server, core });
}

export async function startNginxProxy(directory: string, core: number): Promise<Contender> {
  const location = `location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Request-Id $request_id; }`;
  const http = `upstream backend { server 127.0.0.1:${ports.backend}; keepalive 128; keepalive_requests 100000000; }
    server { listen 127.0.0.1:${ports.nginx}; ${location} }
    server { listen 127.0.0.1:${ports.nginxTls} ssl http2; ssl_certificate ${directory}/tls.crt; ssl_certificate_key ${directory}/tls.key; ${location} }`;
  return startNginx(directory, { name: "proxy", http, core });
}

/** One worker, with `http` inside its block of that name. */
export async function startNginx(
  directory: string,
  options: { name: string; http: string; core: number },
): Promise<Contender> {
  const file = join(directory, `${options.name}.conf`);
  const main = `worker_processes 1; daemon off; pid ${directory}/${options.name}.pid; error_log stderr crit; events { worker_connections 4096; }`;
  await writeFile(file, `${main}\nhttp { access_log off; keepalive_requests 100000000; ${options.http} }\n`);
  const child = spawn("taskset", ["-c", String(options.core), "nginx", "-c", file], { stdio: "inherit" });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return contender(child, await processTree(child.pid ?? 0));
}

/** Sluice with uWebSockets.js where it may, and Node's codec of HTTP/1.1 elsewhere. */
export function startSluice(directory: string, core: number): Promise<Contender> {
  const bound = { 80: ports.uws, 443: ports.uwsTls, 81: ports.node, 444: ports.nodeTls };
  return startSluiceWith(directory, {
    name: "sluice",
    core,
    edge: { ports: bound, codec: "node" },
    site: site(directory),
  });
}

/** Sluice with its own codec. */
export function startSluiceOwn(directory: string, core: number): Promise<Contender> {
  const bound = { 80: 0, 443: 0, 81: ports.own, 444: ports.ownTls };
  return startSluiceWith(directory, {
    name: "sluice-own",
    core,
    edge: { ports: bound, codec: "own", engine: "node" },
    site: site(directory),
  });
}

export interface SluiceOptions {
  readonly name: string;
  readonly core: number;
  readonly edge: object;
  /** Resources as YAML. */
  readonly site: string;
}

export async function startSluiceWith(directory: string, options: SluiceOptions): Promise<Contender> {
  const home = join(directory, options.name);
  await mkdir(join(home, "config"), { recursive: true });
  await writeFile(join(home, "config/site.yaml"), options.site);
  const edge = {
    workers: 1,
    bind: "127.0.0.1",
    ...options.edge,
    alpn: ["http/1.1"],
    accessLog: { path: "off" },
  };
  // JSON is YAML.
  await writeFile(
    join(home, "sluice.yaml"),
    JSON.stringify({ edge, admin: { address: "127.0.0.1:0" }, ctrl: { address: "127.0.0.1:0" } }),
  );
  const args = ["-c", String(options.core), process.execPath, sluice, "up", "--config", join(home, "sluice.yaml")];
  const child = spawn("taskset", args, { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  // Requests pass through the worker only; ctrl, primary and supervisor are idle.
  return contender(child, await workersOf(child.pid ?? 0));
}

/** By the titles that they give themselves. */
async function workersOf(supervisor: number): Promise<number[]> {
  const tree = await processTree(supervisor);
  const titles = await Promise.all(tree.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return tree.filter((_pid, index) => titles[index]?.startsWith("sluice: worker") === true);
}

function contender(child: ChildProcess, pids: readonly number[]): Contender {
  return {
    pids,
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

export async function writeCertificate(directory: string): Promise<void> {
  const authority = await createAuthority({ commonName: "bench" });
  const issued = await authority.issue({ commonName: "bench", ipAddresses: ["127.0.0.1"] });
  await writeFile(join(directory, "tls.crt"), issued.chainPem);
  await writeFile(join(directory, "tls.key"), issued.keyPem);
}

function site(directory: string): string {
  const gateway = (name: string, plain: number, tls: number, annotations: Record<string, string>) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name, annotations },
    spec: {
      selector: { istio: "ingressgateway" },
      servers: [
        { port: { number: plain, name: "http", protocol: "HTTP" }, hosts: ["*"] },
        {
          port: { number: tls, name: `https-${name}`, protocol: "HTTPS" },
          hosts: ["*"],
          tls: { mode: "SIMPLE", serverCertificate: `${directory}/tls.crt`, privateKey: `${directory}/tls.key` },
        },
      ],
    },
  });
  const documents = [
    gateway("uws", 80, 443, {}),
    gateway("node", 81, 444, { "sluice.dev/engine": "node", "sluice.dev/alpn": "h2,http/1.1" }),
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "site" },
      spec: {
        hosts: ["127.0.0.1"],
        gateways: ["uws", "node"],
        http: [
          {
            match: [{ uri: { prefix: "/status" } }],
            route: [{ destination: { host: "backend", port: { number: 80 } } }],
          },
        ],
      },
    },
    { apiVersion: "v1", kind: "Service", metadata: { name: "backend" }, spec: { ports: [{ name: "http", port: 80 }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "backend-1", labels: { "kubernetes.io/service-name": "backend" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["127.0.0.1"] }],
      ports: [{ name: "http", port: ports.backend }],
    },
  ];
  return documents.map((document) => JSON.stringify(document)).join("\n---\n");
}
