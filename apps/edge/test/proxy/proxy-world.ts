// A proxy without engines, in front of real sockets: a table with one route, an upstream that is told what to answer, exchanges that
// record what their client gets.
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import {
  type Cluster,
  defaultClusterLimits,
  forwardTo,
  plainEndpoint,
  plainTransport,
  type Route,
  type Table,
} from "@sluice/core/model";
import type { RequestHead } from "../../src/exchange/exchange.ts";
import { AccessLog } from "../../src/observe/access-log.ts";
import { Proxy, type ProxyOptions } from "../../src/proxy/proxy.ts";
import { buildRuntimeTable } from "../../src/proxy/runtime-table.ts";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import { FakeExchange } from "../support/fake-exchange.ts";

/** Called with everything a connection has received since its last answer, whenever more has come. */
export type Script = (received: string, socket: Socket, attempt: number) => void;

/** An upstream on a free port. */
export class ScriptedUpstream {
  /** One text a connection. */
  readonly received: string[] = [];
  readonly sockets: Socket[] = [];
  script: Script = () => undefined;
  private readonly server: Server;

  constructor() {
    this.server = createServer((socket) => {
      const index = this.received.push("") - 1;
      let unanswered = "";
      this.sockets.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        this.received[index] += chunk.toString("latin1");
        unanswered += chunk.toString("latin1");
        const before = socket.bytesWritten;
        this.script(unanswered, socket, index + 1);
        if (socket.bytesWritten > before) unanswered = "";
      });
    });
  }

  async listen(): Promise<this> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return this;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

export interface WorldOptions extends Partial<Pick<ProxyOptions, "requestTimeoutMs" | "maxBodyBytes" | "random">> {
  readonly retryBufferBytes?: number;
  readonly retryBufferTotalBytes?: number;
  readonly action?: Route["action"];
  readonly policy?: Route["policy"];
  /** Names and ports of clusters; `c` is where routes lead unless they say otherwise. */
  readonly clusters: Readonly<Record<string, readonly number[]>>;
}

export class ProxyWorld {
  readonly clusters = new ClusterManager();
  readonly proxy: Proxy;
  /** How often an exchange was counted. */
  finished = 0;

  constructor(options: WorldOptions) {
    const table = tableOf(options);
    this.clusters.apply(table.clusters);
    const recorder = { record: () => this.finished++ };
    this.proxy = new Proxy({
      table: buildRuntimeTable({ version: "1", table, previous: null, recorderOf: () => recorder }),
      clusters: this.clusters,
      accessLog: new AccessLog({ path: "off", format: "text" }),
      httpsAuthority: (authority) => authority,
      streamIdleTimeoutSeconds: 0,
      requestTimeoutMs: options.requestTimeoutMs ?? 0,
      maxBodyBytes: options.maxBodyBytes ?? 0,
      retryBufferBytes: options.retryBufferBytes ?? 65_536,
      retryBufferTotalBytes: options.retryBufferTotalBytes ?? 1_000_000,
      random: options.random ?? (() => 0),
    });
  }

  /** Hands a request over. */
  request(head: Partial<RequestHead> = {}): FakeExchange {
    const exchange = new FakeExchange(head, {}, this.proxy);
    this.proxy.onRequest(exchange);
    return exchange;
  }

  /** Resolves when no exchange is under way any more. */
  async settled(): Promise<void> {
    await until(() => this.proxy.activeCount === 0);
  }

  /** Sum of a counter's values whose labels hold `text`. */
  count(name: string, text = ""): number {
    const values = this.proxy.metrics.collect().find((metric) => metric.name === name)?.values ?? [];
    return values
      .filter(({ labels }) => Object.values(labels).join(" ").includes(text))
      .reduce((sum, { value }) => sum + value, 0);
  }

  close(): void {
    this.proxy.close();
    this.clusters.close();
  }
}

/** Looks again at every turn of the event loop; the test's own time limit ends it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export function response(status: number, body = "", ...lines: string[]): string {
  return [`HTTP/1.1 ${status} x`, `content-length: ${body.length}`, ...lines, "", body].join("\r\n");
}

/** True when a request without body, or one whose body ends so, is complete. */
export function isWhole(received: string, end = "\r\n\r\n"): boolean {
  return received.endsWith(end);
}

function tableOf({ action, clusters, policy = null }: WorldOptions): Table {
  const route: Route = {
    name: "all",
    virtualService: { namespace: "default", name: "vs", apiVersion: "networking.istio.io/v1" },
    rule: { http: 0, match: -1 },
    match: { path: { kind: "prefix", value: "/", ignoreCase: false }, headers: [], queryParams: [] },
    action: action ?? forwardTo([{ cluster: "c", weight: 1 }]),
    policy,
    operation: "c",
  };
  const virtualHosts = [{ name: "a.example:80", domains: ["a.example"], requireTls: false, routes: [route] }];
  const chain = {
    name: "http.80",
    serverNames: [],
    tls: null,
    routeConfig: "http.80",
    forward: null,
    statPrefix: null,
    gateway: { namespace: "default", name: "gateway" },
  };
  return {
    listeners: [
      {
        name: "0.0.0.0_80",
        address: "0.0.0.0",
        port: 80,
        declaredPort: 80,
        transport: "http",
        acceptsProxyProtocol: false,
        engine: "node",
        engineReason: "test",
        filterChains: [chain],
      },
    ],
    routeConfigs: [{ name: "http.80", port: 80, legacyName: "http.80", virtualHosts }],
    clusters: Object.entries(clusters).map(([name, ports]) => clusterOf(name, ports)),
    secrets: [],
  };
}

function clusterOf(name: string, ports: readonly number[]): Cluster {
  return {
    ...plainTransport,
    limits: defaultClusterLimits,
    name,
    host: name,
    port: 80,
    subset: "",
    discovery: "EDS",
    connectTimeoutMs: 1000,
    endpoints: ports.map((port) => plainEndpoint("127.0.0.1", port)),
  };
}
