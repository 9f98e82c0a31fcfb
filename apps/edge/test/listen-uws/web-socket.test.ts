// WebSockets on uWebSockets.js, with the `ws` package as client and, behind the handler, as upstream.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { isUwsMissing, start } from "./engine.ts";
import { FakeHandler, respond } from "./fake-handler.ts";
import { rawClient } from "./raw-client.ts";

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
await once(server, "listening");
afterAll(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});
const { port: serverPort } = server.address() as { port: number };

/** Plays the proxy: one TCP connection to the server for each exchange, raw bytes once it has answered 101. */
class TunnelHandler extends FakeHandler {
  readonly sockets: Socket[] = [];
  /** Request head as the server got it. */
  sentHeaders: readonly string[] = [];
  isWriting = true;

  override onRequest(exchange: Exchange): void {
    if (exchange.upgrade === null) return super.onRequest(exchange);
    this.sentHeaders = exchange.headers;
    const socket = connect(serverPort, "127.0.0.1");
    this.sockets.push(socket);
    sockets.set(exchange, socket);
    let head = `GET ${exchange.target} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n`;
    for (let i = 0; i < exchange.headers.length; i += 2) {
      const name = exchange.headers[i] ?? "";
      if (name.startsWith("sec-")) head += `${name}: ${exchange.headers[i + 1]}\r\n`;
    }
    socket.write(`${head}\r\n`);
    let text = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      if (exchange.isDone) return;
      if (exchange.isResponseStarted) {
        if (!exchange.sendData(chunk)) socket.pause();
        return;
      }
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      exchange.isResponseStarted = true;
      const fields = text
        .slice(0, end)
        .split("\r\n")
        .slice(1)
        .flatMap((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]);
      exchange.sendHead(101, [...fields, "x-from", "upstream"], -1);
      const rest = Buffer.from(text.slice(end + 4), "latin1");
      if (rest.length > 0) exchange.sendData(rest);
    });
    socket.on("drain", () => exchange.resumeBody());
    socket.on("close", () => {
      if (exchange.isDone) return;
      exchange.sendEnd();
      exchange.isDone = true;
    });
  }

  override onRequestData(exchange: Exchange, chunk: Uint8Array): void {
    if (!this.isWriting) return exchange.pauseBody();
    if (sockets.get(exchange)?.write(Buffer.from(chunk)) === false) exchange.pauseBody();
  }

  override onRequestEnd(exchange: Exchange): void {
    if (exchange.upgrade === null) super.onRequestEnd(exchange);
    else sockets.get(exchange)?.end();
  }

  override onDownstreamDrain(exchange: Exchange): void {
    sockets.get(exchange)?.resume();
  }

  override onDownstreamAborted(exchange: Exchange): void {
    exchange.isDone = true;
    sockets.get(exchange)?.destroy();
    aborted.push(exchange);
  }
}

const sockets = new WeakMap<Exchange, Socket>();
const aborted: Exchange[] = [];

function opened(port: number, protocols: string[] = []): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/chat?x`, protocols);
  client.on("error", () => undefined);
  return once(client, "open").then(() => client);
}

/** The server's end of the next connection. */
async function nextServed(): Promise<WebSocket> {
  const [served] = (await once(server, "connection")) as [WebSocket];
  return served;
}

async function pair(port: number, protocols: string[] = []): Promise<[WebSocket, WebSocket]> {
  const served = nextServed();
  return Promise.all([opened(port, protocols), served]);
}

async function startTunnel(
  limits = {},
): Promise<{ port: number; handler: TunnelHandler; bound: { drain(): Promise<void>; abort(): void } } & Disposable> {
  const handler = new TunnelHandler();
  const running = await start(undefined, limits, handler);
  return { port: running.port, handler, bound: running.bound, [Symbol.dispose]: () => running.bound.abort() };
}

describe.skipIf(isUwsMissing)("a WebSocket", () => {
  test("is accepted when the upstream has, with its protocol and headers, and without extensions", async () => {
    using engine = await startTunnel();
    const served = nextServed();
    const client = new WebSocket(`ws://127.0.0.1:${engine.port}/chat?x`, ["chat", "other"]);
    const [[response]] = await Promise.all([once(client, "upgrade"), once(client, "open"), served]);
    expect(response.headers).toMatchObject({ "x-from": "upstream", "sec-websocket-protocol": "chat" });
    expect(response.headers["sec-websocket-extensions"]).toBeUndefined();
    expect(engine.handler.sentHeaders).not.toContain("sec-websocket-extensions");
    client.terminate();
  });

  test("carries text, binary, empty and long messages both ways", async () => {
    using engine = await startTunnel();
    const [client, served] = await pair(engine.port);
    served.on("message", (data, isBinary) => served.send(data, { binary: isBinary }));
    for (const message of ["grüße", "", Buffer.alloc(126, 1), Buffer.alloc(1_000_000, 2)]) {
      const echo = once(client, "message");
      client.send(message);
      // One after the other is the point.
      // eslint-disable-next-line no-await-in-loop
      const [data, isBinary] = (await echo) as [Buffer, boolean];
      expect(isBinary).toBe(typeof message !== "string");
      expect(data.equals(Buffer.from(message as string))).toBe(true);
    }
    client.terminate();
  });

  test("carries messages in fragments, with pings between them", async () => {
    using engine = await startTunnel();
    const [client, served] = await pair(engine.port);
    const got = once(client, "message");
    const pinged = once(client, "ping");
    const ponged = once(served, "pong");
    served.send("one ", { fin: false });
    served.ping("alive?");
    served.send("two", { fin: true });
    expect(String((await got)[0])).toBe("one two");
    expect(String((await pinged)[0])).toBe("alive?");
    expect(String((await ponged)[0])).toBe("alive?");
    const up = once(served, "message");
    client.send("three ", { fin: false });
    client.send("four", { fin: true });
    expect(String((await up)[0])).toBe("three four");
    client.terminate();
  });

  test("answers the client's pings and lets the upstream know of them", async () => {
    using engine = await startTunnel();
    const [client, served] = await pair(engine.port);
    const [pong, ping] = [once(client, "pong"), once(served, "ping")];
    client.ping("hello");
    expect(String((await pong)[0])).toBe("hello");
    expect(String((await ping)[0])).toBe("hello");
    client.terminate();
  });

  test.each(["client", "server"] as const)("ends with code and reason when the %s closes", async (who) => {
    using engine = await startTunnel();
    const [client, served] = await pair(engine.port);
    const [closer, other] = who === "client" ? [client, served] : [served, client];
    const ends = Promise.all([once(closer, "close"), once(other, "close")]);
    closer.close(4001, "enough");
    const [[closerCode], [otherCode, reason]] = await ends;
    expect([closerCode, otherCode, String(reason)]).toEqual([4001, 4001, "enough"]);
  });

  test("that a client drops aborts the exchange, one that the upstream drops is no orderly end", async () => {
    using engine = await startTunnel();
    const [first, firstServed] = await pair(engine.port);
    const gone = once(firstServed, "close");
    first.terminate();
    expect((await gone)[0]).toBe(1006);
    const [second, secondServed] = await pair(engine.port);
    const closed = once(second, "close");
    secondServed.terminate();
    expect((await closed)[0]).toBe(1006);
  });

  test("ends with 1002 when the upstream does not speak WebSocket", async () => {
    using engine = await startTunnel();
    const [client] = await pair(engine.port);
    const closed = once(client, "close");
    const exchange = engine.handler.sockets.length;
    expect(exchange).toBe(1);
    engine.handler.sockets[0]?.emit("data", Buffer.from("HTTP/1.1 200 OK\r\n\r\n"));
    expect((await closed)[0]).toBe(1002);
  });

  test("with a client that does not read holds the upstream back", async () => {
    using engine = await startTunnel();
    const [client, served] = await pair(engine.port);
    client.pause();
    const chunk = Buffer.alloc(65_536);
    const total = 600;
    let sent = 0;
    const socket = engine.handler.sockets[0];
    const paused = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (socket?.isPaused() !== true) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    for (; sent < total; sent++) served.send(chunk);
    await paused;
    let received = 0;
    const all = new Promise<void>((resolve) =>
      client.on("message", (data: Buffer) => ++received === total && data.length > 0 && resolve()),
    );
    client.resume();
    await all;
    expect(received).toBe(total);
    client.terminate();
  });

  test("whose upstream takes no more is closed with 1013 beyond the limit", async () => {
    using engine = await startTunnel({ webSocketBufferBytes: 65_536 });
    const [client] = await pair(engine.port);
    engine.handler.isWriting = false;
    const closed = once(client, "close");
    for (let i = 0; i < 10; i++) client.send(Buffer.alloc(16_384));
    expect((await closed)[0]).toBe(1013);
  });

  test("lives on while its listener drains, and ends with it", async () => {
    using engine = await startTunnel();
    const [client, served] = await pair(engine.port);
    served.on("message", (data) => served.send(data));
    const drained = engine.bound.drain();
    const echo = once(client, "message");
    client.send("still here");
    expect(String((await echo)[0])).toBe("still here");
    const closed = once(client, "close");
    engine.bound.abort();
    await Promise.all([drained, closed]);
  });
});

describe.skipIf(isUwsMissing)("a request with a WebSocket key", () => {
  const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

  test.each([
    ["without Upgrade", key],
    ["for another protocol", `${key}upgrade: h2c\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n`],
    ["of another version", `${key}upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 8\r\n`],
    ["without Connection", `${key}upgrade: websocket\r\nsec-websocket-version: 13\r\n`],
    [
      "with a broken key",
      "sec-websocket-key: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n",
    ],
  ])("%s is an ordinary one", async (_name, fields) => {
    using engine = await startTunnel();
    using client = rawClient(engine.port);
    client.send(`GET /a HTTP/1.1\r\nhost: a.example\r\n${fields}\r\n`);
    await client.until((text) => text.includes("hello"));
    expect(engine.handler.seen[0]?.exchange.upgrade).toBe(null);
  });

  test("that the upstream refuses gets its answer and keeps the connection", async () => {
    const handler = new FakeHandler();
    handler.early = (exchange) => respond(exchange, exchange.upgrade === null ? 200 : 403, "no");
    const running = await start(undefined, {}, handler);
    using client = rawClient(running.port);
    client.send(
      `GET /a HTTP/1.1\r\nhost: a.example\r\n${key}upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\r\n`,
    );
    await client.until((text) => text.includes("403 Forbidden"));
    client.send("GET /b HTTP/1.1\r\nhost: a.example\r\n\r\n");
    await client.until((text) => text.includes("200 OK"));
    running.bound.abort();
  });
});
