import { once } from "node:events";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { type Cluster, type SecretResource, SecretText, type UpstreamTls } from "@sluice/core/model";
import { type Authority, createAuthority, type Issued } from "@sluice/demo/certificates";
import { beforeAll, describe, expect, test } from "vitest";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import type { EndpointPool } from "../../src/upstream/pool.ts";
import { clusterOf } from "./raw-server.ts";
import { RecordedExchange, type SentRequest } from "./recorded-exchange.ts";

const done = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const host = "shop.example";

let authority: Authority;
let stranger: Authority;
let good: Issued;
let client: Issued;

beforeAll(async () => {
  authority = await createAuthority({ commonName: "root" });
  stranger = await createAuthority({ commonName: "root" });
  good = await authority.issue({ commonName: "x", dnsNames: [host, "*.wild.example"], uris: ["spiffe://a/shop"] });
  client = await authority.issue({ commonName: "gateway", dnsNames: ["gateway.example"], client: true });
});

/** A TLS server that records what it hears and answers every request. */
class TlsWorld implements AsyncDisposable {
  readonly sockets: TLSSocket[] = [];
  readonly names: (string | false | null)[] = [];
  /** Everything any connection said. */
  heard = "";
  readonly manager = new ClusterManager();
  readonly secrets = new Map<string, SecretResource>();
  readonly tls: Partial<UpstreamTls>;
  readonly #server: ReturnType<typeof createServer>;
  readonly #raw = new Set<Socket>();
  readonly #rest: Partial<Cluster>;

  private constructor(options: TlsOptions, tls: Partial<UpstreamTls>, rest: Partial<Cluster>) {
    this.tls = tls;
    this.#rest = rest;
    this.#server = createServer(options, (socket) => {
      this.sockets.push(socket);
      this.names.push(socket.servername);
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        this.heard += chunk.toString("latin1");
        if (chunk.includes("\r\n\r\n")) socket.write(done);
      });
    });
    this.#server.on("tlsClientError", () => {});
    this.#server.on("connection", (socket: Socket) => this.#raw.add(socket));
    this.addSecret({ name: "ca", trustedCa: authority.certificatePem });
  }

  static async start(
    issued: Issued,
    tls: Partial<UpstreamTls> = {},
    { server = {}, cluster = {} }: { server?: TlsOptions; cluster?: Partial<Cluster> } = {},
  ): Promise<TlsWorld> {
    const options = { cert: issued.chainPem, key: issued.keyPem, ...server };
    const world = new TlsWorld(options, tls, cluster);
    world.#server.listen(0, "127.0.0.1");
    await once(world.#server, "listening");
    world.apply();
    return world;
  }

  addSecret(parts: Partial<SecretResource> & { name: string }): void {
    const none = { certificateChain: null, privateKey: null, trustedCa: null, crl: null, reason: "" };
    this.secrets.set(parts.name, { status: "ready", ...none, ...parts });
  }

  apply(): void {
    const { port } = this.#server.address() as AddressInfo;
    const tls: UpstreamTls = {
      certificate: null,
      trustedCa: "ca",
      crl: null,
      sni: "",
      subjectAltNames: [],
      acceptsUntrusted: false,
      ...this.tls,
    };
    const cluster = clusterOf([{ port }], { tls, ...this.#rest });
    this.manager.apply([cluster], (name) => this.secrets.get(name) ?? null);
  }

  get pool(): EndpointPool {
    return this.manager.get("c")!.choose()!;
  }

  send(request: SentRequest = {}): RecordedExchange {
    return RecordedExchange.send(this.pool, { ...request, origin: { host, ...request.origin } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.manager.close();
    for (const socket of this.#raw) socket.destroy();
    this.#server.close();
  }
}

const answered = ["head 200", "data ok", "end"];
const calls = async (exchange: RecordedExchange): Promise<string[]> =>
  (await exchange.settled()).filter((call) => call !== "flush");

describe("an upstream that is who it should be", () => {
  test("gets the request, and the connection is used again", async () => {
    await using world = await TlsWorld.start(good);
    expect(await calls(world.send())).toEqual(answered);
    expect(await calls(world.send())).toEqual(answered);
    expect(world.sockets).toHaveLength(1);
    expect(world.names).toEqual([host]);
    expect(world.manager.stats()).toMatchObject([{ openConnections: 1, idleConnections: 1, reuseTotal: 1 }]);
  });

  test("gets a body that was written before the handshake", async () => {
    await using world = await TlsWorld.start(good);
    const exchange = world.send({ method: "POST", body: "length", fields: "content-length: 5\r\n" });
    expect(exchange.stream.write(Buffer.from("hello"))).toBe(false);
    exchange.stream.end();
    await calls(exchange);
    expect(world.heard.endsWith("\r\n\r\nhello")).toBe(true);
  });

  test.each([
    ["a configured server name", { sni: host }, "other.example"],
    ["a wildcard", { sni: "a.wild.example" }, host],
    [
      "a listed identity, whatever the server name",
      { sni: "unnamed.example", subjectAltNames: ["no", "spiffe://a/shop"] },
      host,
    ],
    ["nothing, when verification is off", { trustedCa: null, sni: "unnamed.example", acceptsUntrusted: true }, host],
  ])("is known by %s", async (_name, tls, requestHost) => {
    await using world = await TlsWorld.start(good, tls);
    expect(await calls(world.send({ origin: { host: requestHost } }))).toEqual(answered);
    expect(world.names).toEqual([tls.sni]);
  });

  test("is asked for by the host of each request, on connections of their own", async () => {
    await using world = await TlsWorld.start(good);
    await calls(world.send());
    await calls(world.send({ origin: { host: "b.wild.example" } }));
    await calls(world.send());
    expect(world.names).toEqual([host, "b.wild.example"]);
  });

  test("speaks HTTP/2 when both do", async () => {
    const server = createSecureServer({ cert: good.chainPem, key: good.keyPem }, (_request, response) => {
      response.end("ok");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const manager = new ClusterManager();
    const tls = {
      certificate: null,
      trustedCa: "ca",
      crl: null,
      sni: host,
      subjectAltNames: [],
      acceptsUntrusted: false,
    };
    const ca = {
      name: "ca",
      status: "ready",
      reason: "",
      certificateChain: null,
      privateKey: null,
      crl: null,
    } as const;
    const cluster = clusterOf([{ port: (server.address() as AddressInfo).port }], { tls, protocol: "http2" });
    manager.apply([cluster], () => ({ ...ca, trustedCa: authority.certificatePem }));
    expect(await calls(RecordedExchange.send(manager.get("c")!.choose()!))).toEqual(answered);
    manager.close();
    server.close();
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("resumes the session on a new connection: %s", async (maxVersion) => {
    await using world = await TlsWorld.start(good, {}, { server: { maxVersion } });
    await calls(world.send());
    world.sockets[0]!.destroy();
    await expect.poll(() => world.manager.stats()[0]?.openConnections).toBe(0);
    expect(await calls(world.send())).toEqual(answered);
    expect(world.sockets[1]!.isSessionReused()).toBe(true);
  });
});

describe("nothing of a request reaches an upstream", () => {
  const refused = ["error upstream_tls_failure"];
  const attack = async (issued: Issued, tls: Partial<UpstreamTls> = {}, crl = ""): Promise<void> => {
    for (const protocol of ["http1", "http2"] as const) {
      await using world = await TlsWorld.start(issued, tls, {
        server: { ALPNProtocols: ["h2", "http/1.1"] },
        cluster: { protocol },
      });
      world.addSecret({ name: "crl", crl });
      world.apply();
      const exchange = world.send({ method: "POST", body: "chunked", fields: "transfer-encoding: chunked\r\n" });
      exchange.stream.write(Buffer.from("secret"));
      expect(await calls(exchange)).toEqual(refused);
      expect(world.heard).toBe("");
      expect(world.manager.stats()).toMatchObject([{ openConnections: 0, activeRequests: 0, connectFailureTotal: 1 }]);
    }
  };

  test("of another authority, even one of the same name", async () => {
    await attack(await stranger.issue({ commonName: host, dnsNames: [host] }));
  });

  test("with another name", async () => {
    await attack(await authority.issue({ commonName: host, dnsNames: ["evil.example"] }));
  });

  test("with the name only as common name", async () => {
    await attack(await authority.issue({ commonName: host }));
  });

  test("under a wildcard that does not reach so far", async () => {
    await attack(await authority.issue({ commonName: "x", dnsNames: ["*.example", "*"] }), { sni: "a.b.example" });
  });

  test("whose certificate has expired", async () => {
    const lastWeek = new Date(Date.now() - 7 * 86_400_000);
    const yesterday = new Date(Date.now() - 86_400_000);
    await attack(
      await authority.issue({ commonName: host, dnsNames: [host], notBefore: lastWeek, notAfter: yesterday }),
    );
  });

  test("whose certificate is for clients", async () => {
    await attack(await authority.issue({ commonName: host, dnsNames: [host], client: true }));
  });

  test("whose certificate is revoked", async () => {
    await attack(good, { crl: "crl" }, await authority.crl({ revoked: [good] }));
  });

  test("that is none of the listed identities, although its name fits", async () => {
    await attack(good, { subjectAltNames: ["spiffe://a/other"] });
  });

  test("that writes a listed identity into a name of another kind", async () => {
    const forged = await authority.issue({ commonName: "x", dnsNames: ["spiffe://a/shop", host] });
    await attack(forged, { subjectAltNames: ["spiffe://a/shop"] });
  });

  test.each([
    ["the CA is missing", { trustedCa: "nowhere" }],
    ["the client certificate is missing", { certificate: "nowhere" }],
    ["the revocation list is missing", { crl: "nowhere" }],
    ["the revocation list is empty", { crl: "ca" }],
    ["the CA secret holds no CA", { trustedCa: "empty" }],
  ])("when %s: it fails closed without a connection", async (_name, tls) => {
    await using world = await TlsWorld.start(good, tls);
    world.addSecret({ name: "empty", trustedCa: "" });
    world.apply();
    expect(await calls(world.send())).toEqual(refused);
    expect(world.manager.stats()).toMatchObject([{ connectTotal: 0, activeRequests: 0 }]);
  });

  test("by a session of an upstream with another name", async () => {
    await using world = await TlsWorld.start(good, { sni: "other.example" }, { server: { maxVersion: "TLSv1.2" } });
    for (let i = 0; i < 3; i++) expect(await calls(world.send())).toEqual(refused);
    expect(world.heard).toBe("");
  });

  test("by a session from before its certificate was revoked", async () => {
    await using world = await TlsWorld.start(good, { crl: "crl" }, { server: { maxVersion: "TLSv1.2" } });
    world.addSecret({ name: "crl", crl: await authority.crl({ revoked: [] }) });
    world.apply();
    expect(await calls(world.send())).toEqual(answered);
    world.heard = "";
    world.addSecret({ name: "crl", crl: await authority.crl({ revoked: [good] }) });
    world.apply();
    expect(await calls(world.send())).toEqual(refused);
    expect(world.heard).toBe("");
  });
});

describe("mutual TLS", () => {
  const demand = (): TlsOptions => ({ requestCert: true, rejectUnauthorized: true, ca: authority.certificatePem });

  test("the gateway shows its certificate, and the new one once the secret has changed", async () => {
    await using world = await TlsWorld.start(good, { certificate: "pair" }, { server: demand() });
    world.addSecret({ name: "pair", certificateChain: client.chainPem, privateKey: new SecretText(client.keyPem) });
    world.apply();
    expect(await calls(world.send())).toEqual(answered);
    const fingerprint = (index: number): unknown => world.sockets[index]?.getPeerCertificate().fingerprint256;
    const first = fingerprint(0);
    const isClosed = once(world.sockets[0]!, "close");

    const renewed = await authority.issue({ commonName: "gateway", client: true });
    world.addSecret({ name: "pair", certificateChain: renewed.chainPem, privateKey: new SecretText(renewed.keyPem) });
    world.apply();
    await isClosed;
    expect(await calls(world.send())).toEqual(answered);
    expect(fingerprint(1)).not.toBe(first);
    world.apply();
    expect(await calls(world.send())).toEqual(answered);
    expect(world.sockets).toHaveLength(2);
  });

  test("without a certificate an upstream that demands one gets nothing", async () => {
    await using world = await TlsWorld.start(good, {}, { server: { ...demand(), maxVersion: "TLSv1.2" } });
    expect(await calls(world.send())).toEqual(["error upstream_tls_failure"]);
    expect(world.heard).toBe("");
  });
});
