// Every limit and timeout of sluice.yaml as the client meets it, on each engine that keeps it: the status, or how the connection ends.
// What uWebSockets.js has fixed (heads, idle connections and handshakes, about 10 s) is shown to end as well.
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { frame, frameType } from "@sluice/http2-frames";
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
import { codecOf, type EngineLane, engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { acknowledgement, Attacker, endHeaders, endStream, headBlock } from "../support/http2-attacker.ts";
import { readExposition } from "../support/exposition.ts";
import { clear, Conversation, hasWholeMessage, readMessage, talk } from "../support/raw-socket.ts";
import { RawUpstream } from "../support/raw-upstream.ts";
import { startScriptedBackend } from "../support/scripted-backend.ts";

const host = "app.example";
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });

const limits = {
  maxHeadBytes: 4096,
  maxHeaderCount: 20,
  maxBodyBytes: 1000,
  handshakeTimeoutSeconds: 1,
  requestHeadTimeoutSeconds: 1,
  idleTimeoutSeconds: 1,
  streamIdleTimeoutSeconds: 1,
  // Longer than the other takes, which is looked at once a second.
  requestTimeoutSeconds: 4,
  maxConcurrentStreams: 2,
  streamBufferBytes: 16_384,
  connectionBufferBytes: 65_535,
};
const [refusedStream, flowControlError] = [7, 3];
/** Bytes often enough to be no idle stream. */
const paceMs = 100;

const backend = await startScriptedBackend({
  "/ok": (socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
  "/silent": () => {},
  "/stalls": (socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf of it"),
  "/hints": (socket) => {
    const timer = setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"), paceMs);
    socket.on("close", () => clearInterval(timer));
  },
  "/drips": (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
    const timer = setInterval(() => socket.write("x"), paceMs);
    socket.on("close", () => clearInterval(timer));
  },
});
/** Accepts and says nothing, not even its HTTP/2 settings: requests wait, and so do their bodies. */
const mute = await RawUpstream.listen();
afterAll(async () => {
  await backend.close();
  await mute[Symbol.asyncDispose]();
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
    spec: { hosts: [host], gateways: ["app"], http: [to("/mute", "mute"), to("/", "backend")] },
  },
  ...service("backend", backend.port),
  ...serviceOn("mute", { name: "http2", port: 8000 }, [mute.port]),
  tlsSecret("app", certificate),
);

const start = ({ edge }: EngineLane, changed: Readonly<Record<string, unknown>>) =>
  gateway({ config: { "app.yaml": config }, edge: { ...edge, workers: 1, limits: changed } });

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
/** curl's exit status for a transfer that ended early: in HTTP/1.1, by a reset, by a reset of the stream. */
const cutShort = [18, 56, 92];

async function counted(world: Gateway, name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  return readExposition(await world.metrics()).sum(name, labels);
}

describe.each(engineLanes)("$name:", (lane) => {
  const isUws = lane.expected === "uws";
  let world: Gateway;
  beforeAll(async () => {
    world = await start(lane, limits);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** The versions that the lane's cleartext port speaks, as curl is told. */
  const versions = isUws ? ["--http1.1"] : ["--http1.1", "--http2-prior-knowledge"];
  const ask = (version: string, path: string, ...args: readonly string[]) =>
    curl(version, "-H", `Host: ${host}`, ...args, world.url(80, path));
  const logged = (path: string) => world.edge.stdout.next((line) => line.includes(`${path} HTTP/`));

  test("the ports are on the lane's engine", () => {
    expect([world.engine(80), world.engine(443)]).toEqual([lane.expected, lane.expected]);
  });

  describe.each(versions)("%s:", (version) => {
    const isHttp2 = version !== "--http1.1";

    test("maxHeadBytes: 431", async () => {
      expect((await ask(version, "/ok", "-H", `x-long: ${"x".repeat(3000)}`)).status).toBe(200);
      expect((await ask(version, "/ok", "-H", `x-long: ${"x".repeat(4096)}`)).status).toBe(431);
    });

    // nghttp2 resets the stream before anybody could answer it.
    test("maxHeaderCount: 431, and on HTTP/2 through Node's codec a reset", async () => {
      const fields = (count: number) => Array.from({ length: count }, (_, i) => ["-H", `x-${i}: y`]).flat();
      expect((await ask(version, "/ok", ...fields(17))).status).toBe(200);
      const { code, status } = await ask(version, "/ok", ...fields(21));
      expect([code, status]).toEqual(isHttp2 && codecOf(lane) === "node" ? [92, 0] : [0, 431]);
    });

    test.each([
      ["announced", []],
      ["not announced", isHttp2 ? ["-H", "content-length:"] : ["-H", "transfer-encoding: chunked"]],
    ])("maxBodyBytes, %s: 413", async (_name, args) => {
      expect((await ask(version, "/ok", ...args, "-d", "x".repeat(1000))).status).toBe(200);
      const line = logged("/silent");
      expect((await ask(version, "/silent", ...args, "-d", "x".repeat(1001))).status).toBe(413);
      expect(await line).toContain(" 413 ");
    });

    test.concurrent("streamIdleTimeoutSeconds: 504 before the response, a break within it", async () => {
      const [silent, stalls] = [logged("/silent?idle"), logged("/stalls")];
      expect((await ask(version, "/silent?idle")).status).toBe(504);
      expect(await silent).toContain(" 504 SI ");
      const broken = await ask(version, "/stalls");
      expect([broken.status, cutShort.includes(broken.code)]).toEqual([200, true]);
      expect(await stalls).toContain(" 200 SI ");
    });

    test.concurrent("requestTimeoutSeconds, though bytes move: 504 before the response, a break within it", async () => {
      const [hints, drips] = [logged("/hints"), logged("/drips")];
      const [late, broken] = await Promise.all([ask(version, "/hints"), ask(version, "/drips")]);
      expect(late.status).toBe(504);
      expect(await hints).toContain(" 504 UT ");
      expect([broken.status, cutShort.includes(broken.code)]).toEqual([200, true]);
      expect(await drips).toContain(" 200 UT ");
    });
  });

  // uWebSockets.js takes about 10 s for each of these, whatever is set.
  test.concurrent("requestHeadTimeoutSeconds: 408; uWebSockets.js closes", { timeout: 40_000 }, async () => {
    const { text, end } = await talk(clear(world.port(80)), `GET /ok HTTP/1.1\r\nHost: ${host}\r\n`);
    expect([readMessage(text)?.status ?? null, end]).toEqual([isUws ? null : 408, "closed"]);
  });

  test.concurrent("idleTimeoutSeconds: the connection closes after its response", { timeout: 40_000 }, async () => {
    using conversation = new Conversation(clear(world.port(80)));
    expect(await conversation.ask(get("/ok"))).toMatchObject({ status: 200, body: "ok" });
    await expect(conversation.receive(() => false)).rejects.toThrow('the connection ended after ""');
  });

  test.concurrent.each([
    ["says nothing", ""],
    ["begins a ClientHello", "\x16\x03\x01\x02\x00\x01\x00"],
  ])("handshakeTimeoutSeconds: a client that %s is closed", { timeout: 40_000 }, async (_name, bytes) => {
    const { text, end } = await talk(clear(world.port(443)), bytes);
    expect([text, end === "enough"]).toEqual(["", false]);
    if (isUws) return;
    const reasons = { reason: "handshake_timeout" };
    expect(await counted(world, "sluice_downstream_handshake_failures_total", reasons)).toBeGreaterThan(0);
  });

  describe.skipIf(isUws)("HTTP/2:", () => {
    test("requestHeadTimeoutSeconds: a head without its end is told GOAWAY", async () => {
      await using patient = await start(lane, { requestHeadTimeoutSeconds: 1 });
      const attacker = await Attacker.connect(patient.port(80));
      attacker.socket.write(frame(frameType.headers, endStream, 1, headBlock("GET", host)));
      await once(attacker.socket, "end");
      expect(attacker.goawayCode).toBe(0);
      const refused = { reason: "head_timeout" };
      expect(await counted(patient, "sluice_downstream_refused_requests_total", refused)).toBe(1);
    });

    test("idleTimeoutSeconds: GOAWAY, and the connection closes", async () => {
      const session = connectHttp2(`http://127.0.0.1:${world.port(80)}`);
      const closed = once(session, "close");
      const [code] = (await once(session, "goaway")) as [number];
      expect(code).toBe(0);
      await closed;
    });

    test("maxConcurrentStreams: one more is refused, the others are served", async () => {
      const attacker = await Attacker.connect(world.port(80));
      const head = (stream: number) => frame(frameType.headers, endHeaders | endStream, stream, headBlock("GET", host));
      attacker.socket.write(Buffer.concat([head(1), head(3), head(5)]));
      const answered = () =>
        attacker.frames.filter(({ type }) => type === frameType.headers).map(({ stream }) => stream);
      await expect.poll(() => answered().toSorted((a, b) => a - b)).toEqual([1, 3]);
      const resets = attacker.frames.filter(({ type }) => type === frameType.reset);
      expect(resets).toMatchObject([{ stream: 5, code: refusedStream }]);
      attacker.socket.destroy();
    });

    test("streamBufferBytes and connectionBufferBytes are the windows a client is given", async () => {
      const session = connectHttp2(`http://127.0.0.1:${world.port(80)}`);
      await once(session, "remoteSettings");
      expect(session.remoteSettings.initialWindowSize).toBe(limits.streamBufferBytes);
      expect(session.state.remoteWindowSize).toBe(limits.connectionBufferBytes);
      session.destroy();
    });

    test("streamBufferBytes: who sends more than that ahead of a backend that takes nothing is cut off", async () => {
      await using unlimited = await start(lane, { streamBufferBytes: limits.streamBufferBytes });
      const attacker = await Attacker.connect(unlimited.port(80));
      // The window is the smaller one from its acknowledgement on.
      await expect.poll(() => attacker.frames.some(({ type }) => type === frameType.settings)).toBe(true);
      attacker.socket.write(frame(frameType.settings, acknowledgement, 0));
      attacker.socket.write(frame(frameType.headers, endHeaders, 1, headBlock("POST", host, "/mute")));
      const window = frame(frameType.data, 0, 1, Buffer.alloc(limits.streamBufferBytes));
      // What is handed on makes room once; the rest stays in the window.
      attacker.socket.write(Buffer.concat([window, window, window]));
      // Node 20 resets the stream; later ones end the connection, some without a word.
      let isGone = false;
      void attacker.closed.then(() => (isGone = true));
      const ends = () => attacker.frames.filter(({ code }) => code === flowControlError).length > 0 || isGone;
      await expect.poll(ends, { timeout: 10_000 }).toBe(true);
      attacker.socket.destroy();
    });
  });
});

test.each(engineLanes)("$name: maxConnections: one more is closed, on any port, until one goes", async (lane) => {
  await using world = await start(lane, { maxConnections: 2 });
  using first = new Conversation(clear(world.port(80)));
  using second = new Conversation(clear(world.port(80)));
  for (const { status } of [await first.ask(get("/ok")), await second.ask(get("/ok"))]) expect(status).toBe(200);
  for (const port of [80, 443]) expect(await talk(clear(world.port(port)), get("/ok"))).toMatchObject({ text: "" });
  expect(await first.ask(get("/ok"))).toMatchObject({ status: 200 });
  second[Symbol.dispose]();
  const again = async () =>
    readMessage((await talk(clear(world.port(80)), get("/ok"), { until: hasWholeMessage })).text);
  await expect.poll(again).toMatchObject({ status: 200 });
});

const node = engineLanes.find(({ edge }) => edge["engine"] === "node") as EngineLane;

test("a client that heeds maxConcurrentStreams is served whatever it asks for", async () => {
  await using world = await start(node, { maxConcurrentStreams: 2 });
  const session = connectHttp2(`http://127.0.0.1:${world.port(80)}`);
  await once(session, "remoteSettings");
  const statuses = Array.from({ length: 100 }, async () => {
    const stream = session.request({ ":path": "/ok", ":authority": host }).resume();
    const [head] = (await once(stream, "response")) as [{ ":status"?: number }];
    return head[":status"];
  });
  expect(await Promise.all(statuses)).toEqual(Array<number>(100).fill(200));
  session.destroy();
});
