// Upstreams that lie about how much they send, break off or answer early, over HTTP/1.1 and HTTP/2: a client never gets a short answer that
// looks like all of it, and never a byte of one answer as part of another.
import { once } from "node:events";
import { constants, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  documents,
  gatewayResource,
  httpServer,
  httpsServer,
  service,
  serviceOn,
  tlsSecret,
} from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes, offersHttp2 } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { Http2Client } from "../support/http2-client.ts";
import { clear, Conversation } from "../support/raw-socket.ts";
import { startScriptedBackend } from "../support/scripted-backend.ts";

const host = "app.example";
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });

const head = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`;
/** Breaks off once the bytes before have surely been read. */
const reset = (socket: Socket) => void setTimeout(() => socket.resetAndDestroy(), 50);

const h1 = await startScriptedBackend({
  "/h1/short": (socket) => void socket.end(`${head("content-length: 20")}half of it`),
  "/h1/long": (socket) => void socket.write(`${head("content-length: 5")}first and a second answer`),
  "/h1/reset": (socket) => void socket.write(`${head("content-length: 20")}half of it`, () => reset(socket)),
  "/h1/chunk": (socket) => void socket.end(`${head("transfer-encoding: chunked")}14\r\nhalf of it`),
  "/h1/no-last-chunk": (socket) => void socket.end(`${head("transfer-encoding: chunked")}a\r\nhalf of it\r\n`),
  "/h1/reset-close": (socket) => void socket.write(`${head("connection: close")}half of it`, () => reset(socket)),
  "/h1/early": (socket) => void socket.write(`${head("content-length: 5")}early`),
  "/h1/ok": (socket) => void socket.write(`${head("content-length: 2")}ok`),
});

type Answer = (stream: ServerHttp2Stream) => void;
/** Of the HTTP/2 backend; what a session lends out cannot be torn. */
const sockets = new Set<Socket>();
const answers: Readonly<Record<string, Answer>> = {
  "/h2/short": (stream) => {
    stream.respond({ ":status": 200, "content-length": 20 });
    stream.end("half of it");
  },
  "/h2/nothing": (stream) => stream.respond({ ":status": 200, "content-length": 20 }, { endStream: true }),
  "/h2/long": (stream) => {
    stream.respond({ ":status": 200, "content-length": 5 });
    stream.end("first and a second answer");
  },
  "/h2/reset": (stream) => {
    stream.respond({ ":status": 200, "content-length": 20 });
    stream.write("half of it", () => stream.destroy(new Error("broken")));
  },
  "/h2/reset-unannounced": (stream) => {
    stream.respond({ ":status": 200 });
    stream.write("half of it", () => stream.destroy(new Error("broken")));
  },
  "/h2/gone": (stream) => {
    stream.respond({ ":status": 200 });
    stream.write("half of it", () => sockets.forEach((socket) => socket.destroy()));
  },
  "/h2/goaway": (stream) => {
    stream.respond({ ":status": 200 });
    stream.write("half of it", () => stream.session?.destroy(undefined, constants.NGHTTP2_INTERNAL_ERROR));
  },
  "/h2/early": (stream) => {
    stream.respond({ ":status": 200 });
    stream.end("early");
  },
  "/h2/ok": (stream) => {
    stream.respond({ ":status": 200 });
    stream.end("ok");
  },
};
const h2 = createServer();
h2.on("sessionError", () => {});
h2.on("connection", (socket: Socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
});
h2.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  answers[headers[":path"] ?? ""]?.(stream);
});
h2.listen(0, "127.0.0.1");
await once(h2, "listening");
afterAll(async () => {
  h2.close();
  await h1.close();
});

const to = (prefix: string, destination: string) => ({
  match: [{ uri: { prefix } }],
  route: [{ destination: { host: destination, port: { number: 8000 } } }],
});
const config = documents(
  gatewayResource("app", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "app" },
    spec: { hosts: [host], gateways: ["app"], http: [to("/h1", "one"), to("/h2", "two")] },
  },
  ...service("one", h1.port),
  ...serviceOn("two", { name: "http2", port: 8000 }, [(h2.address() as AddressInfo).port]),
  tlsSecret("app", certificate),
);

/** What never is a whole answer. */
const broken = [
  ...["short", "reset", "chunk", "no-last-chunk", "reset-close"].map((name) => `/h1/${name}`),
  ...["short", "nothing", "long", "reset", "reset-unannounced", "gone", "goaway"].map((name) => `/h2/${name}`),
];
const uploadBytes = 4 * 1024 * 1024;

describe.each(engineLanes)("$name:", ({ edge, expected }) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await gateway({ config: { "app.yaml": config }, edge: { ...edge, workers: 1 } });
    expect(world.engine(80)).toBe(expected);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const ask = (path: string, ...args: readonly string[]) => curl("-H", `Host: ${host}`, ...args, world.url(80, path));

  test.each(broken)("curl does not take %s for an answer", async (path) => {
    const { code, status } = await ask(path);
    // Refused as a whole, as long as nothing has gone out; else curl sees the transfer end early or, without a head, nothing at all.
    if (code === 0) expect([502, 503]).toContain(status);
    else expect([18, 52, 56]).toContain(code);
  });

  test("what follows an answer of its announced length is not the next one", async () => {
    using conversation = new Conversation(clear(world.port(80)));
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    expect(await conversation.ask(get("/h1/long"))).toMatchObject({ status: 200, body: "first" });
    expect(await conversation.ask(get("/h1/ok"))).toMatchObject({ status: 200, body: "ok" });
  });

  test.each(["/h1/early", "/h2/early"])("an answer before the end of an upload is whole: %s", async (path) => {
    const { status, body } = await ask(path, "--data-binary", "x".repeat(100_000), "-H", "Expect:");
    expect([status, body]).toEqual([200, "early"]);
    // The connection to the backend is still in order, or another one is used.
    expect(await ask(`${path.slice(0, 3)}/ok`)).toMatchObject({ status: 200, body: "ok" });
  });

  describe.skipIf(!offersHttp2({ edge }))("over HTTP/2", () => {
    test("all of them are reset streams or refusals", async () => {
      await using client = await Http2Client.connect(world.port(443), host, authority.certificatePem);
      const results = await Promise.all(broken.map((path) => client.request({ ":path": path, ":authority": host })));
      const wrong = broken.filter((_, i) => results[i]?.isComplete === true && results[i].status < 500);
      expect(wrong).toEqual([]);
    });

    test.each(["/h1/early", "/h2/early"])("an answer before the end of an upload is whole: %s", async (path) => {
      await using client = await Http2Client.connect(world.port(443), host, authority.certificatePem);
      const fields = { ":method": "POST", ":path": path, ":authority": host };
      const { status, body, isComplete } = await client.request(fields, Buffer.alloc(uploadBytes));
      expect([status, String(body), isComplete]).toEqual([200, "early", true]);
    });
  });
});
