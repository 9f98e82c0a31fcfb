// Raw bytes inside TLS that ends here, begins here, or both: halves, resets, and who is let in, told by real TLS peers.
import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import {
  connect as connectTls,
  type ConnectionOptions,
  createServer as createTlsServer,
  type TlsOptions,
  type TLSSocket,
} from "node:tls";
import type { SecretResource, UpstreamTls } from "@sluice/core/model";
import { type Authority, createAuthority, type Issued } from "@sluice/demo/certificates";
import { beforeAll, describe, expect, test } from "vitest";
import {
  attemptTls,
  closed,
  exchangeRaw,
  readUntil,
  secret,
  serverSecret,
  tlsChain,
  validation,
} from "../listen-node/support.ts";
import { reset } from "../../src/network/relay.ts";
import { clusterTo, forwardChain, NetworkWorld, Upstream, type WorldSource } from "./world.ts";

let authority: Authority;
let secrets: SecretResource[];
let backendIdentity: Issued;
let client: Issued;
let stranger: Issued;

beforeAll(async () => {
  authority = await createAuthority({ commonName: "root" });
  const others = await createAuthority({ commonName: "others" });
  backendIdentity = await authority.issue({ commonName: "backend", dnsNames: ["backend.example"] });
  client = await authority.issue({ commonName: "client", client: true, dnsNames: ["client.example"] });
  stranger = await others.issue({ commonName: "stranger", client: true, dnsNames: ["client.example"] });
  secrets = [
    serverSecret("server", await authority.issue({ commonName: "sluice", dnsNames: ["db.example"] })),
    secret("ca", { trustedCa: authority.certificatePem }),
  ];
});

const originates: UpstreamTls = {
  certificate: null,
  trustedCa: "ca",
  crl: null,
  sni: "backend.example",
  subjectAltNames: [],
  acceptsUntrusted: false,
};

/** A TLS server whose connections the test drives. */
class TlsUpstream implements AsyncDisposable {
  readonly sockets: TLSSocket[] = [];
  /** The server name that the last connection asked for. */
  serverName: string | false | null = null;
  readonly #carriers: Socket[] = [];
  readonly #server: ReturnType<typeof createTlsServer>;

  private constructor(server: ReturnType<typeof createTlsServer>) {
    this.#server = server;
    server.on("connection", (socket) => this.#carriers.push(socket));
    server.on("tlsClientError", () => undefined);
    server.on("secureConnection", (socket) => {
      socket.on("error", () => undefined);
      this.serverName = (socket as unknown as { servername: string | false }).servername;
      this.sockets.push(socket);
      server.emit("accepted");
    });
  }

  static async listen(onSecure: (socket: TLSSocket) => void = () => undefined): Promise<TlsUpstream> {
    const { chainPem: cert, keyPem: key } = backendIdentity;
    const server = createTlsServer({ cert, key, allowHalfOpen: true } as TlsOptions);
    server.on("secureConnection", onSecure);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TlsUpstream(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async socket(): Promise<TLSSocket> {
    while (this.sockets[0] === undefined) await once(this.#server, "accepted");
    return this.sockets[0];
  }

  /** Resets every connection. */
  kill(): void {
    for (const socket of this.#carriers) reset(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#carriers) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

type Chain = Parameters<typeof tlsChain>[1];

/** A listener that ends TLS for `db.example` and hands on what is inside. */
function ended(
  upstream: { readonly port: number },
  tls: Chain = {},
  upstreamTls: UpstreamTls | null = null,
): WorldSource {
  const cluster = clusterTo(upstream, { tls: upstreamTls });
  const { tls: context } = tlsChain("db.example", { alpn: [], ...tls });
  const chains = [forwardChain([cluster], { serverNames: ["db.example"], tls: context })];
  return { clusters: [cluster], secrets, listener: { transport: "tls" }, chains };
}

/** A TCP listener whose cluster is reached over TLS. */
function begun(upstream: { readonly port: number }, tls: UpstreamTls = originates): WorldSource {
  const cluster = clusterTo(upstream, { tls });
  return { clusters: [cluster], secrets, chains: [forwardChain([cluster])] };
}

/** A client that keeps its other half when one ends. */
async function openHalf(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const to = { port, host: "127.0.0.1", servername: "db.example", rejectUnauthorized: false };
  const socket = connectTls({ ...to, ...options });
  socket.allowHalfOpen = true;
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  return socket;
}

async function readAll(socket: Socket): Promise<string> {
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
  await once(socket, "end");
  return received;
}

/** How a socket closed: `ECONNRESET`, or `end` for a proper end. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let how = "closed";
    socket.allowHalfOpen = false;
    socket.on("error", (error: NodeJS.ErrnoException) => (how = error.code ?? error.message));
    socket.on("end", () => (how = "end"));
    socket.on("close", () => resolve(how));
    socket.resume();
  });
}

describe.each(["TLSv1.2", "TLSv1.3"] as const)("TLS that ends here, %s", (version) => {
  const only = { minVersion: version, maxVersion: version };

  test("the client's half ends first, the upstream's goes on", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(ended(upstream));
    const socket = await openHalf(world.port, only);
    const server = await upstream.socket();
    socket.end("question");
    expect(await readAll(server)).toBe("question");
    server.write("answer, ");
    await readUntil(socket, "answer, ");
    server.end("in two parts");
    expect(await readAll(socket)).toBe("in two parts");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "-" })).toBe(1);
  });

  test("the upstream's half ends first, the client's goes on", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(ended(upstream));
    const socket = await openHalf(world.port, only);
    const server = await upstream.socket();
    server.end("that is all from me");
    expect(await readAll(socket)).toBe("that is all from me");
    socket.write("but ");
    await readUntil(server, "but ");
    socket.end("not from me");
    expect(await readAll(server)).toBe("not from me");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "-" })).toBe(1);
  });

  test("the upstream's reset is no proper end to the client", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(ended(upstream));
    const socket = await openHalf(world.port, only);
    const server = await upstream.socket();
    server.write("half an ans");
    await readUntil(socket, "half an ans");
    const end = endOf(socket);
    server.resetAndDestroy();
    expect(await end).toBe("ECONNRESET");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "UC" })).toBe(1);
  });

  test("the client's reset is no proper end to the upstream, though it comes with unread data", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(ended(upstream));
    const carrier = connectTcp(world.port, "127.0.0.1").on("error", () => undefined);
    const socket = await openHalf(world.port, { ...only, socket: carrier });
    const server = await upstream.socket();
    server.write("ready");
    await readUntil(socket, "ready");
    socket.write("half a que");
    reset(carrier);
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "DC" })).toBe(1);
  });

  test("nobody without the certificate that the chain demands reaches the upstream", async () => {
    await using upstream = await Upstream.listen();
    const demand: Chain = { mode: "MUTUAL", clientValidation: validation({ subjectAltNames: ["other.example"] }) };
    await using world = await NetworkWorld.start(ended(upstream, demand));
    const { chainPem: cert, keyPem: key } = client;
    const { chainPem: otherCert, keyPem: otherKey } = stranger;
    const ask = (identity: object) => attemptTls(world.port, { servername: "db.example", ...only, ...identity });
    for (const identity of [{}, { cert, key }, { cert: otherCert, key: otherKey }]) {
      expect((await ask(identity)).received).toBe("");
    }
    expect(upstream.sockets).toEqual([]);
    expect(world.listener.handshakeFailures.length).toBe(3);
  });
});

describe("a table that changes during the handshake", () => {
  const handshakeUnder = async (before: Chain, after: (upstream: Upstream) => WorldSource) => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(ended(upstream, before));
    world.swapTable(after(upstream));
    const { received } = await attemptTls(world.port, { servername: "db.example" });
    expect(received).toBe("");
    expect(await world.logLine()).toContain('"- - -" 0 NR ');
    expect(upstream.sockets).toEqual([]);
  };

  test("a client let in without a certificate is closed when one is demanded now", () =>
    handshakeUnder({}, (upstream) => ended(upstream, { mode: "MUTUAL", clientValidation: validation() })));

  test("what was decrypted never goes where TLS passes through", () =>
    handshakeUnder({}, (upstream) => {
      const cluster = clusterTo(upstream);
      const chains = [forwardChain([cluster], { serverNames: ["db.example"] })];
      return { clusters: [cluster], secrets, listener: { transport: "tls" }, chains };
    }));

  test("TLS that passes through never goes where it was to be ended", async () => {
    await using upstream = await Upstream.listen();
    const cluster = clusterTo(upstream);
    const chains = [forwardChain([cluster], { serverNames: ["db.example"] })];
    await using world = await NetworkWorld.start({ ...ended(upstream), chains });
    world.swapTable(ended(upstream));
    expect((await attemptTls(world.port, { servername: "db.example" })).protocol).toBeNull();
    expect(await world.logLine()).toContain('"- - -" 0 NR ');
    expect(upstream.sockets).toEqual([]);
  });
});

describe("TLS that begins here", () => {
  test("both halves end by themselves, and the name is asked for", async () => {
    await using upstream = await TlsUpstream.listen();
    await using world = await NetworkWorld.start(ended(upstream, {}, originates));
    const socket = await openHalf(world.port);
    const server = await upstream.socket();
    expect(upstream.serverName).toBe("backend.example");
    socket.end("question");
    expect(await readAll(server)).toBe("question");
    server.end("answer");
    expect(await readAll(socket)).toBe("answer");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "-" })).toBe(1);
  });

  test("a client's reset is a reset to the upstream", async () => {
    await using upstream = await TlsUpstream.listen();
    await using world = await NetworkWorld.start(begun(upstream));
    const socket = connectTcp(world.port, "127.0.0.1").on("error", () => undefined);
    socket.write("half a que");
    const server = await upstream.socket();
    await readUntil(server, "half a que");
    const end = endOf(server);
    socket.resetAndDestroy();
    expect(await end).toBe("ECONNRESET");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "DC" })).toBe(1);
  });

  test("the upstream's reset is no proper end, though it comes with unread data", async () => {
    await using upstream = await TlsUpstream.listen();
    await using world = await NetworkWorld.start(begun(upstream));
    const socket = connectTcp(world.port, "127.0.0.1").on("error", () => undefined);
    const server = await upstream.socket();
    socket.write("question");
    await readUntil(server, "question");
    server.write("half an ans");
    upstream.kill();
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "UC" })).toBe(1);
    socket.destroy();
  });

  test.each<[string, Partial<UpstreamTls>, RegExp]>([
    ["another name than the rule's", { sni: "other.example" }, /certificate has another name/],
    ["none of the rule's names", { subjectAltNames: ["other.example"] }, /certificate has another name/],
    ["another name than the destination's, where the rule says nothing", { sni: "" }, /certificate has another name/],
    ["a CA that nobody trusts", { trustedCa: null }, /UNABLE_TO_|SELF_SIGNED|not trusted/],
  ])("an upstream whose certificate has %s gets nothing", async (_claim, fields, reason) => {
    let heard = "";
    await using upstream = await TlsUpstream.listen((socket) => {
      socket.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1"))).on("end", () => socket.end());
    });
    await using world = await NetworkWorld.start(begun(upstream, { ...originates, ...fields }));
    expect(await exchangeRaw(world.port, "secret")).toBe("");
    await Promise.all(upstream.sockets.map((socket) => closed(socket)));
    expect(heard).toBe("");
    const line = await world.logLine();
    expect(line).toContain('"- - -" 0 UF ');
    expect(line).toMatch(reason);
    expect(world.clusters.stats()).toMatchObject([{ connectTotal: 1, connectFailureTotal: 1, openConnections: 0 }]);
  });

  test("an upstream that hangs up in the handshake is logged as one that cannot be had", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(begun(upstream));
    const answer = exchangeRaw(world.port, "secret");
    (await upstream.socket()).end();
    expect(await answer).toBe("");
    expect(await world.logLine()).toContain('"- - -" 0 UF - - "ECONNRESET" ');
  });

  test("an upstream that speaks no TLS gets a ClientHello and no more", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(begun(upstream));
    const answer = exchangeRaw(world.port, "secret");
    const server = await upstream.socket();
    const heard = readAll(server).catch(() => "");
    server.write("220 ready\r\n");
    expect(await answer).toBe("");
    expect(await heard).not.toContain("secret");
    expect(await world.logLine()).toContain('"- - -" 0 UF ');
  });

  test("an upstream that never answers the ClientHello is given up in the connect timeout", async () => {
    await using upstream = await Upstream.listen();
    const source = begun(upstream);
    const clusters = source.clusters.map((cluster) => ({ ...cluster, connectTimeoutMs: 100 }));
    await using world = await NetworkWorld.start({ ...source, clusters });
    expect(await exchangeRaw(world.port, "secret")).toBe("");
    expect(await world.logLine()).toContain('"- - -" 0 UF ');
    expect(world.clusters.stats()).toMatchObject([{ connectFailureTotal: 1, openConnections: 0 }]);
  });
});

describe("much, with TLS on both sides", () => {
  const mebibyte = 1024 * 1024;
  const piece = Buffer.alloc(mebibyte, "sluice ");

  async function send(socket: Socket, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      if (!socket.write(piece)) await once(socket, "drain");
    }
    socket.end();
  }

  async function countOf(socket: Socket): Promise<number> {
    let count = 0;
    socket.on("data", (chunk: Buffer) => (count += chunk.length));
    await once(socket, "end");
    return count;
  }

  test("32 MiB go each way at once, whole, and both halves end", async () => {
    await using upstream = await TlsUpstream.listen();
    await using world = await NetworkWorld.start(ended(upstream, {}, originates));
    const socket = await openHalf(world.port);
    const server = await upstream.socket();
    const counts = Promise.all([countOf(socket), countOf(server)]);
    await Promise.all([send(socket, 32), send(server, 32)]);
    expect(await counts).toEqual([32 * mebibyte, 32 * mebibyte]);
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "-" })).toBe(1);
  });

  test("a client that does not read stops its upstream, and gets all of it in the end", async () => {
    await using upstream = await TlsUpstream.listen();
    await using world = await NetworkWorld.start(ended(upstream, {}, originates));
    const slow = await openHalf(world.port);
    slow.pause();
    const server = await upstream.socket();
    const sent = send(server, 64);
    let held = -1;
    // The kernel's socket buffers hold some MiB; what passes Sluice stops with them.
    await expect
      .poll(() => {
        const before = held;
        held = world.count("istio_tcp_sent_bytes_total");
        return held > 0 && held === before;
      })
      .toBe(true);
    expect(held).toBeLessThan(32 * mebibyte);
    const count = countOf(slow);
    slow.resume();
    expect(await count).toBe(64 * mebibyte);
    await sent;
  });

  test("an upstream killed in the middle is a reset to a client that has not read for a while", async () => {
    await using upstream = await TlsUpstream.listen();
    await using world = await NetworkWorld.start(ended(upstream, {}, originates));
    const carrier = connectTcp(world.port, "127.0.0.1").on("error", () => undefined);
    const slow = await openHalf(world.port, { socket: carrier });
    let received = 0;
    let hasEnded = false;
    slow.on("data", (chunk: Buffer) => (received += chunk.length));
    // This client is told of an end too when a reset comes with data before it, and TLS would not tell it more; see network/relay.ts.
    slow.on("end", () => {
      carrier.write(Buffer.alloc(0), (error) => {
        hasEnded = !error;
        slow.destroy();
      });
    });
    const server = await upstream.socket();
    void send(server, 64).catch(() => undefined);
    await expect.poll(() => received).toBeGreaterThan(mebibyte);
    slow.pause();
    upstream.kill();
    await closed(server);
    await closed(slow.resume());
    expect(hasEnded).toBe(false);
    expect(received).toBeLessThan(64 * mebibyte);
    expect(await world.logLine()).toContain('"- - -" 0 UC ');
  });
});
