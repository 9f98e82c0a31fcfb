import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { createAuthority } from "@sluice/demo/certificates";
import type { SecretResource } from "@sluice/core/model";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeProxyHeader } from "../../src/exchange/proxy-header.ts";
import { bindUws } from "../../src/listen/uws/listener.ts";
import { loadUws } from "../../src/listen/uws/load.ts";
import { noNetwork } from "../support/no-network.ts";
import {
  closed,
  defaultLimits,
  exchangeRaw,
  openTcp,
  readUntil,
  requestText,
  serverSecret,
  specOf,
  startListener,
  TestHandler,
  tlsChain,
} from "./support.ts";

const listener = { acceptsProxyProtocol: true } as const;
const source = { address: "203.0.113.9", port: 40_000 };
const destination = { address: "198.51.100.1", port: 443 };
const headers = (["V1", "V2"] as const).map(
  (version) => [version, encodeProxyHeader(version, source, destination)] as const,
);
const told = {
  remoteAddress: source.address,
  remotePort: source.port,
  localAddress: destination.address,
  localPort: destination.port,
};
const request = Buffer.from(requestText);

async function getOverHttp2(socket: TLSSocket): Promise<void> {
  const session = connectHttp2("https://a.example", { createConnection: () => socket });
  await once(session.request({ ":path": "/" }).resume(), "end");
  session.close();
}

let secrets: SecretResource[];

beforeAll(async () => {
  const authority = await createAuthority({ commonName: "root" });
  secrets = [serverSecret("server", await authority.issue({ commonName: "a.example", dnsNames: ["a.example"] }))];
});

describe.each(headers)("behind a header of %s", (_version, header) => {
  test("a request's addresses are those of the header, header and request in one piece", async () => {
    await using world = await startListener({ listener });
    expect(await exchangeRaw(world.port, Buffer.concat([header, request]))).toContain("200 OK");
    expect(world.handler.exchanges[0]?.downstream).toMatchObject(told);
    expect(world.handshakeFailures).toEqual([]);
  });

  test("the header may come byte by byte, and the request later", async () => {
    await using world = await startListener({ listener });
    const socket = await openTcp(world.port);
    for (const byte of header) await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    socket.write(request);
    expect(await readUntil(socket, "hello")).toContain("200 OK");
    expect(world.handler.exchanges[0]?.downstream).toMatchObject(told);
  });

  test("the connection keeps its address from request to request", async () => {
    await using world = await startListener({ listener });
    const socket = await openTcp(world.port);
    for (let i = 0; i < 3; i++) {
      const get = Buffer.from("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
      socket.write(i === 0 ? Buffer.concat([header, get]) : get);
      await readUntil(socket, "hello");
    }
    expect(world.handler.exchanges.map(({ downstream }) => downstream.remoteAddress)).toEqual(
      Array.from({ length: 3 }, () => source.address),
    );
    socket.destroy();
  });

  test.each(["http/1.1", "h2"])("TLS follows it, with the same addresses over %s", async (alpn) => {
    await using world = await startListener({ chains: [tlsChain("a.example")], secrets, listener });
    const raw = await openTcp(world.port);
    raw.write(header);
    const socket = connectTls({
      socket: raw,
      servername: "a.example",
      ALPNProtocols: [alpn],
      rejectUnauthorized: false,
    });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe(alpn);
    if (alpn === "h2") await getOverHttp2(socket);
    else {
      socket.write(request);
      await readUntil(socket, "hello");
    }
    expect(world.handler.exchanges[0]?.downstream).toMatchObject({ ...told, sni: "a.example" });
    socket.destroy();
  });

  test("a second header is the client's own and is refused as a request", async () => {
    await using world = await startListener({ listener });
    const forged = encodeProxyHeader("V1", { ...source, address: "10.0.0.1" }, destination);
    const answer = await exchangeRaw(world.port, Buffer.concat([header, forged, request]));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(world.handler.exchanges).toEqual([]);
  });

  test("a listener that does not ask for it takes it for a request and refuses that", async () => {
    await using world = await startListener();
    const answer = await exchangeRaw(world.port, Buffer.concat([header, request]));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(world.handler.exchanges).toEqual([]);
  });

  test("a TLS listener that does not ask for it closes", async () => {
    await using world = await startListener({ chains: [tlsChain("a.example")], secrets });
    expect(await exchangeRaw(world.port, header)).toBe("");
    expect(world.handshakeFailures).toEqual([{ filterChain: null, reason: "not_tls" }]);
  });
});

test("a client without a header is closed without an answer", async () => {
  await using world = await startListener({ listener });
  expect(await exchangeRaw(world.port, request)).toBe("");
  expect(world.handshakeFailures).toEqual([{ filterChain: null, reason: "proxy_protocol_missing" }]);
  expect(world.handler.exchanges).toEqual([]);
});

test("a header that lies about its form is closed without an answer", async () => {
  await using world = await startListener({ listener });
  expect(await exchangeRaw(world.port, `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n${requestText}`)).toBe("");
  expect(world.handshakeFailures).toEqual([{ filterChain: null, reason: "proxy_protocol_invalid" }]);
});

test("a client that is silent, or slow with its header, is closed in the time of a handshake", async () => {
  await using world = await startListener({ listener, limits: { handshakeTimeoutMs: 50 } });
  const silent = await openTcp(world.port);
  const slow = await openTcp(world.port);
  slow.write("PROXY TCP4 10.");
  await Promise.all([closed(silent.resume()), closed(slow.resume())]);
  expect(world.handshakeFailures.map(({ reason }) => reason)).toEqual([
    "proxy_protocol_missing",
    "proxy_protocol_missing",
  ]);
});

test("a load balancer that asks whether the port is open is no failure", async () => {
  await using world = await startListener({ listener });
  const socket = await openTcp(world.port);
  socket.end();
  await closed(socket.resume());
  await expect.poll(() => world.connections.closed).toBe(1);
  expect(world.handshakeFailures).toEqual([]);
});

test.each(["PROXY UNKNOWN\r\n", "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"])(
  "a sender that speaks for itself (%j) has its own address",
  async (header) => {
    await using world = await startListener({ listener });
    await exchangeRaw(world.port, header + requestText);
    expect(world.handler.exchanges[0]?.downstream.remoteAddress).toBe("127.0.0.1");
  },
);

test("an update that asks for headers holds for connections that come after it", async () => {
  await using world = await startListener();
  const before = await openTcp(world.port);
  before.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
  await readUntil(before, "hello");
  world.update({ listener });
  expect(await exchangeRaw(world.port, request)).toBe("");
  before.write(request);
  expect(await readUntil(before, "hello")).toContain("200 OK");
  before.destroy();
});

test.skipIf("reason" in loadUws())("uWebSockets.js is never given such a listener", async () => {
  const context = {
    handler: new TestHandler(),
    network: noNetwork,
    codec: "node" as const,
    limits: defaultLimits,
    openConnections: { count: 0 },
    ticketSecret: new Uint8Array(32),
    observer: {
      onConnectionOpened() {},
      onConnectionClosed() {},
      onHandshakeFailed() {},
      onRequestRefused() {},
    },
  };
  await expect(bindUws(specOf({ listener }), context)).rejects.toThrow("PROXY protocol; this needs engine node");
  await expect(bindUws(specOf({ listener: { transport: "tcp" } }), context)).rejects.toThrow("raw connections");
});
