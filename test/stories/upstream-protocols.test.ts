// How Sluice speaks to upstreams that ask for more than plain HTTP/1.1: TLS with and without a certificate of its own, HTTP/2 by every
// way to choose it, and the PROXY header. Everything is configured as a user would, and told by the upstream that saw it.
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, secret, serviceOn } from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { RawUpstream } from "../support/raw-upstream.ts";
import { type Seen, TlsBackend } from "../support/tls-backend.ts";

const host = "app.example";
const authority = await createAuthority({ commonName: "upstream ca" });
const otherAuthority = await createAuthority({ commonName: "other ca" });
const certificate = await authority.issue({ commonName: "secure", dnsNames: ["secure.example"] });
const sluice = await authority.issue({ commonName: "sluice itself", client: true });
const stranger = await otherAuthority.issue({ commonName: "stranger", client: true });
const identity = { key: certificate.keyPem, cert: certificate.chainPem };

const open = await TlsBackend.start(identity);
const closed = await TlsBackend.start({
  ...identity,
  ca: authority.certificatePem,
  requestCert: true,
  rejectUnauthorized: true,
});

/** Ends TLS and keeps what was said inside it. */
const overheard: string[] = [];
const recorder = createTlsServer(identity, (socket: TLSSocket) => {
  socket.on("error", () => undefined).on("data", (chunk: Buffer) => overheard.push(chunk.toString("latin1")));
});
recorder.on("tlsClientError", () => undefined);
recorder.listen(0, "127.0.0.1");
await once(recorder, "listening");
const recorderPort = (recorder.address() as AddressInfo).port;

const clearHttp2 = createHttp2Server((request, response) => response.end(request.httpVersion));
clearHttp2.listen(0, "127.0.0.1");
await once(clearHttp2, "listening");

const heads: string[] = [];
const proxied = await RawUpstream.listen((socket) => {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (!text.endsWith("\r\n\r\n") || !text.includes("GET ")) return;
    heads.push(text);
    text = "";
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  });
});

type Json = Readonly<Record<string, unknown>>;
const toOpen = { port: open.port };
const simple = { mode: "SIMPLE", credentialName: "upstream-ca", sni: "secure.example" };
const mutual = { mode: "MUTUAL", credentialName: "sluice-identity", sni: "secure.example" };
const upgrade = { connectionPool: { http: { h2UpgradePolicy: "UPGRADE" } } };

/** One destination a case: its endpoint and the DestinationRule's traffic policy. */
const destinations: Readonly<Record<string, { readonly port: number; readonly policy: Json }>> = {
  simple: { ...toOpen, policy: { tls: simple } },
  mutual: { port: closed.port, policy: { tls: mutual } },
  nameless: { port: closed.port, policy: { tls: simple } },
  stranger: { port: closed.port, policy: { tls: { ...mutual, credentialName: "stranger-identity" } } },
  "wrong-ca": { port: recorderPort, policy: { tls: { ...simple, credentialName: "other-ca" } } },
  "wrong-name": { port: recorderPort, policy: { tls: { ...simple, sni: "other.example" } } },
  "wrong-san": { port: recorderPort, policy: { tls: { ...simple, subjectAltNames: ["other.example"] } } },
  "no-ca": { port: recorderPort, policy: { tls: { mode: "SIMPLE", sni: "secure.example" } } },
  "other-san": { ...toOpen, policy: { tls: { ...simple, sni: "other.example", subjectAltNames: ["secure.example"] } } },
  trusting: { ...toOpen, policy: { tls: { mode: "SIMPLE", sni: "secure.example", insecureSkipVerify: true } } },
  upgrade: { ...toOpen, policy: { tls: simple, ...upgrade } },
  follow: { ...toOpen, policy: { tls: simple, connectionPool: { http: { useClientProtocol: true } } } },
  "clear-upgrade": { port: (clearHttp2.address() as AddressInfo).port, policy: upgrade },
  "proxy-v1": { port: proxied.port, policy: { proxyProtocol: { version: "V1" } } },
  "proxy-v2": { port: proxied.port, policy: { proxyProtocol: { version: "V2" } } },
};

const istio = "networking.istio.io/v1";
const names = Object.keys(destinations);
const config = documents(
  gatewayResource("app", [httpServer([host])]),
  {
    apiVersion: istio,
    kind: "VirtualService",
    metadata: { name: "app" },
    spec: {
      hosts: [host],
      gateways: ["app"],
      http: names.map((name) => ({
        match: [{ uri: { exact: `/${name}` } }],
        route: [{ destination: { host: name, port: { number: 8000 } } }],
      })),
    },
  },
  ...Object.entries(destinations).flatMap(([name, { port, policy }]) => [
    ...serviceOn(name, { name: "http", port: 8000 }, [port]),
    {
      apiVersion: istio,
      kind: "DestinationRule",
      metadata: { name },
      spec: { host: name, trafficPolicy: policy },
    },
  ]),
  secret("upstream-ca", { "ca.crt": authority.certificatePem }),
  secret("other-ca", { "ca.crt": otherAuthority.certificatePem }),
  secret("sluice-identity", {
    "tls.crt": sluice.chainPem,
    "tls.key": sluice.keyPem,
    "ca.crt": authority.certificatePem,
  }),
  secret("stranger-identity", {
    "tls.crt": stranger.chainPem,
    "tls.key": stranger.keyPem,
    "ca.crt": authority.certificatePem,
  }),
);

afterAll(async () => {
  recorder.close();
  clearHttp2.close();
  await Promise.all([open, closed, proxied].map((backend) => backend[Symbol.asyncDispose]()));
});

describe.each(engineLanes)("$name:", ({ edge, expected }) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await gateway({ config: { "app.yaml": config }, edge: { ...edge, workers: 1 }, ports: [80] });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const get = (name: string, ...args: readonly string[]) =>
    curl(...args, "-H", `Host: ${host}`, world.url(80, `/${name}`));
  const seenBy = async (name: string, ...args: readonly string[]): Promise<Seen> => {
    const { status, body } = await get(name, ...args);
    expect(`${status} ${body}`).toMatch(/^200 /);
    return JSON.parse(body) as Seen;
  };

  test("SIMPLE asks for the name of the rule and shows no certificate", async () => {
    expect(world.engine(80)).toBe(expected);
    const seen = { httpVersion: "1.1", path: "/simple", serverName: "secure.example", clientName: null };
    expect(await seenBy("simple")).toEqual(seen);
    // On the same connection, or one that resumes its session.
    expect(await seenBy("simple")).toEqual(seen);
  });

  test("MUTUAL shows Sluice's own certificate", async () => {
    expect(await seenBy("mutual")).toMatchObject({ clientName: "sluice itself", serverName: "secure.example" });
  });

  test.each(["nameless", "stranger"])("an upstream that wants a certificate serves nobody else: %s", async (name) => {
    const before = closed.seen.length;
    expect((await get(name)).status).toBe(503);
    expect(closed.seen.length).toBe(before);
  });

  test.each(["wrong-ca", "wrong-name", "wrong-san", "no-ca"])(
    "an upstream that is not who was meant gets no byte of the request: %s",
    async (name) => {
      const logged = world.edge.stdout.next((line) => line.includes(`/${name} HTTP/`));
      const { status, headers } = await get(name, "--data", "secret=1");
      expect(status).toBe(503);
      expect(headers["server"]).toBe("sluice");
      expect(await logged).toMatch(/ 503 UF[ ,]/);
      expect(overheard).toEqual([]);
    },
  );

  test("subjectAltNames say who is meant instead of the name asked for, and insecureSkipVerify asks nothing", async () => {
    expect(await seenBy("other-san")).toMatchObject({ serverName: "other.example" });
    expect(await seenBy("trusting")).toMatchObject({ serverName: "secure.example" });
  });

  test("h2UpgradePolicy UPGRADE speaks HTTP/2, inside TLS and without", async () => {
    expect(await seenBy("upgrade")).toMatchObject({ httpVersion: "2.0" });
    expect((await get("clear-upgrade")).body).toBe("2.0");
  });

  test("useClientProtocol speaks what the client speaks", async () => {
    expect(await seenBy("follow")).toMatchObject({ httpVersion: "1.1" });
    if (expected === "node") {
      expect(await seenBy("follow", "--http2-prior-knowledge")).toMatchObject({ httpVersion: "2.0" });
    }
  });

  test("a PROXY header goes before the request and says who the client is", async () => {
    expect((await get("proxy-v1")).body).toBe("ok");
    expect(heads.at(-1)).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nGET \/proxy-v1 HTTP\/1\.1\r\n/);
    expect((await get("proxy-v2")).body).toBe("ok");
    expect(heads.at(-1)?.startsWith("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01")).toBe(true);
    expect(heads.at(-1)).toContain("GET /proxy-v2 HTTP/1.1\r\n");
  });
});
