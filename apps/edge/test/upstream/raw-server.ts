// A TCP server that says what a test tells it to, and a cluster manager in front of it.
import { plainEndpoint, plainTransport } from "@sluice/core/model";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Cluster, Endpoint } from "@sluice/core/model";
import { ClusterManager, type ClusterManagerOptions } from "../../src/upstream/cluster-manager.ts";
import type { EndpointPool, PoolOptions } from "../../src/upstream/pool.ts";
import { tcpAddress } from "../../src/upstream/socket-address.ts";

/** One accepted connection. */
export class RawConnection {
  readonly socket: Socket;
  received = "";
  private waiting: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1");
      this.waiting?.();
    });
    socket.on("error", () => {});
  }

  /** Resolves when what was received ends with `tail`; returns it and starts anew. */
  async until(tail: string): Promise<string> {
    while (!this.received.endsWith(tail)) await new Promise<void>((resolve) => (this.waiting = resolve));
    const { received } = this;
    this.received = "";
    return received;
  }

  /** Resolves when a head has come. */
  request(): Promise<string> {
    return this.until("\r\n\r\n");
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, "close");
  }
}

export class RawServer implements AsyncDisposable {
  readonly connections: RawConnection[] = [];
  private readonly server: Server;
  private waiting: (() => void) | null = null;

  private constructor(server: Server) {
    this.server = server;
    server.on("connection", (socket) => {
      this.connections.push(new RawConnection(socket));
      this.waiting?.();
    });
  }

  static async listen(): Promise<RawServer> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RawServer(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The connection with this number, in the order accepted. */
  async connection(index: number): Promise<RawConnection> {
    for (;;) {
      const connection = this.connections[index];
      if (connection !== undefined) return connection;
      await new Promise<void>((resolve) => (this.waiting = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.server.close();
    if (this.server.listening) await once(this.server, "close");
  }
}

export function clusterOf(endpoints: readonly Partial<Endpoint>[], rest: Partial<Cluster> = {}): Cluster {
  return {
    name: "c",
    host: "c.test",
    port: 80,
    subset: "",
    discovery: "STATIC",
    connectTimeoutMs: 5000,
    ...plainTransport,
    endpoints: endpoints.map((endpoint) => ({
      ...plainEndpoint("127.0.0.1", 1),
      ...endpoint,
    })),
    ...rest,
  };
}

/** Of a pool by itself, for a port of this machine. */
export function poolOptions(port: number, rest: Pick<PoolOptions, "transport" | "counters" | "clock">): PoolOptions {
  const address = tcpAddress("127.0.0.1", port);
  const target = { name: address.name, addresses: [address], locality: "", priority: 0, weight: 1 };
  return { target, knownSinceMs: 0, retries: { onRequestEnded: () => {} }, ...rest };
}

/** A manager with one cluster `c` of one endpoint. */
export class World implements AsyncDisposable {
  readonly server: RawServer;
  readonly manager: ClusterManager;

  private constructor(server: RawServer, manager: ClusterManager) {
    this.server = server;
    this.manager = manager;
  }

  static async start(options: ClusterManagerOptions = {}): Promise<World> {
    const server = await RawServer.listen();
    const manager = new ClusterManager(options);
    manager.apply([clusterOf([{ port: server.port }])]);
    return new World(server, manager);
  }

  get pool(): EndpointPool {
    const pool = this.manager.get("c")?.choose();
    if (pool === null || pool === undefined) throw new Error("no endpoint");
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.manager.close();
    await this.server[Symbol.asyncDispose]();
  }
}
