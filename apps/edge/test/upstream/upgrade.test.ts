import { expect, test } from "vitest";
import { webSocketAccept } from "../../src/upstream/web-socket-key.ts";
import { World } from "./raw-server.ts";
import { RecordedExchange, type SentRequest } from "./recorded-exchange.ts";

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const upgrade: SentRequest = {
  body: "upgrade",
  fields: `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${key}\r\n`,
  origin: { upgrade: "websocket" },
};
const fromHttp2: SentRequest = { ...upgrade, origin: { upgrade: "websocket", protocol: "HTTP/2" } };
const switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n";

test("after 101 bytes flow both ways, also those written too early, until both have ended", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, upgrade);
  expect(exchange.stream.write(Buffer.from("early"))).toBe(false);
  const upstream = await world.server.connection(0);
  upstream.socket.allowHalfOpen = true;
  const head = await upstream.request();
  expect(head).toContain("upgrade: websocket\r\n");
  upstream.socket.write(`${switching}x-a: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n`);
  expect(await upstream.until("early")).toBe("early");
  expect(exchange.calls).toEqual(["head 101", "drain", "data HTTP/1.1 200 OK\r\n\r\n", "flush"]);
  expect(exchange.bodyLength).toBe(-1);
  expect(exchange.headers).toEqual(["x-a", "b"]);
  exchange.stream.write(Buffer.from("late"));
  await upstream.until("late");
  // The client is through, the upstream is not.
  const isEnded = new Promise<void>((resolve) => upstream.socket.once("end", resolve));
  exchange.stream.end();
  await isEnded;
  upstream.socket.end("last words");
  expect((await exchange.settled()).filter((call) => call !== "flush").slice(-2)).toEqual(["data last words", "end"]);
  expect(world.manager.stats()).toMatchObject([{ openConnections: 0, idleConnections: 0 }]);
});

test("the upstream's half may end first: the client goes on, and all it says arrives", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, upgrade);
  const upstream = await world.server.connection(0);
  upstream.socket.allowHalfOpen = true;
  await upstream.request();
  upstream.socket.end(`${switching}\r\nthat is all`);
  await exchange.next("half-end");
  expect(exchange.calls.filter((call) => call !== "flush")).toEqual(["head 101", "data that is all", "half-end"]);
  exchange.stream.write(Buffer.from("but "));
  expect(await upstream.until("but ")).toBe("but ");
  // More than a socket takes at once: none of it may be lost when the last half ends.
  const piece = Buffer.alloc(4_000_000, "x");
  exchange.stream.write(piece);
  exchange.stream.end();
  const isEnded = new Promise<void>((resolve) => upstream.socket.once("end", resolve));
  expect((await exchange.settled()).at(-1)).toBe("end");
  await isEnded;
  expect(upstream.received.length).toBe(piece.length);
  expect(world.manager.stats()).toMatchObject([{ openConnections: 0, idleConnections: 0 }]);
});

test("an upstream that dies after it has ended its half fails the exchange", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, upgrade);
  const upstream = await world.server.connection(0);
  upstream.socket.allowHalfOpen = true;
  upstream.socket.end(`${switching}\r\n`);
  await exchange.next("half-end");
  upstream.socket.destroy();
  const writing = setInterval(() => exchange.stream.write(Buffer.from("anyone?")), 1);
  expect((await exchange.settled()).at(-1)).toBe("error upstream_reset_midway");
  clearInterval(writing);
});

test("a connection that is cut after 101 is an end, as it is for any protocol inside", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, upgrade);
  const upstream = await world.server.connection(0);
  upstream.socket.write(`${switching}\r\n`);
  await exchange.next("head");
  upstream.socket.resetAndDestroy();
  expect((await exchange.settled()).at(-1)).toBe("error upstream_reset_midway");
});

test("any other status is a response, what was written is dropped, the connection not kept", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, upgrade);
  exchange.stream.write(Buffer.from("GET /smuggled HTTP/1.1\r\n\r\n"));
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
  expect(await exchange.settled()).toEqual(["head 403", "data no", "end"]);
  await upstream.closed();
  expect(upstream.received).toBe("");
});

test("101 that nobody asked for is refused", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  (await world.server.connection(0)).socket.write(`${switching}\r\n`);
  expect(await exchange.settled()).toEqual(["error upstream_protocol_error"]);
});

test("for a client on HTTP/2 the answer to the key is checked and kept back", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, fromHttp2);
  const upstream = await world.server.connection(0);
  upstream.socket.write(
    `${switching}sec-websocket-protocol: chat\r\nsec-websocket-accept: ${webSocketAccept(key)}\r\n\r\n`,
  );
  await exchange.next("head");
  expect(exchange.headers).toEqual(["sec-websocket-protocol", "chat"]);
  exchange.stream.abort();
  await upstream.closed();
});

test.each(["", "sec-websocket-accept: bm90IHRoZSBhbnN3ZXI=\r\n"])(
  "an upstream that does not know WebSocket is refused: %j",
  async (field) => {
    await using world = await World.start();
    const exchange = RecordedExchange.send(world.pool, fromHttp2);
    (await world.server.connection(0)).socket.write(`${switching}${field}\r\nbytes of whoever`);
    expect(await exchange.settled()).toEqual(["error upstream_protocol_error"]);
  },
);

test("the key's answer is the one of RFC 6455", () => {
  expect(webSocketAccept(key)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});
