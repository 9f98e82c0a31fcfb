import { expect, test } from "vitest";
import { RecordedExchange, turns } from "./recorded-exchange.ts";
import { World } from "./raw-server.ts";

const done = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const chunkedHead = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
const chunked = { method: "POST", body: "chunked", fields: "transfer-encoding: chunked\r\n" } as const;

test("a chunked body is framed, its empty pieces are not its end", async () => {
  await using world = await World.start();
  const { stream } = RecordedExchange.send(world.pool, chunked);
  stream.write(Buffer.from("hello"));
  stream.write(Buffer.alloc(0));
  stream.write(Buffer.from("x".repeat(26)));
  stream.end();
  const upstream = await world.server.connection(0);
  expect(await upstream.until("\r\n0\r\n\r\n")).toBe(
    `${chunkedHead}5\r\nhello\r\n1a\r\n${"x".repeat(26)}\r\n0\r\n\r\n`,
  );
});

test("a chunked body without pieces is an empty one", async () => {
  await using world = await World.start();
  RecordedExchange.send(world.pool, chunked).stream.end();
  const upstream = await world.server.connection(0);
  expect(await upstream.until("\r\n0\r\n\r\n")).toBe(`${chunkedHead}0\r\n\r\n`);
});

test("a head whose body is late goes out alone", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, {
    method: "POST",
    body: "length",
    fields: "content-length: 5\r\n",
  });
  const upstream = await world.server.connection(0);
  expect(await upstream.request()).toContain("content-length: 5");
  upstream.socket.write("HTTP/1.1 100 Continue\r\n\r\n");
  await exchange.next("informational");
  exchange.stream.write(Buffer.from("hello"));
  exchange.stream.end();
  expect(await upstream.until("hello")).toBe("hello");
  upstream.socket.write(done);
  expect((await exchange.settled()).at(-1)).toBe("end");
  expect(world.manager.stats()).toMatchObject([{ idleConnections: 1 }]);
});

test("what a caller does to a chunk after writing it does not reach the wire", async () => {
  await using world = await World.start();
  const post = { method: "POST", body: "length", bodyLength: Number.MAX_SAFE_INTEGER } as const;
  const other = RecordedExchange.send(world.pool, post);
  await (await world.server.connection(0)).request();
  const { stream } = RecordedExchange.send(world.pool, post);
  const upstream = await world.server.connection(1);
  await upstream.request();
  // At first the socket takes what is written at once; then the upstream stops reading, and the rest waits in this process.
  upstream.socket.pause();
  const pieceBytes = 60_000;
  const piece = Buffer.alloc(pieceBytes);
  const letterOf = (index: number): string => String.fromCharCode(97 + (index % 26));
  let count = 0;
  for (let mayWrite = true; mayWrite; count++) mayWrite = stream.write(piece.fill(letterOf(count)));
  // Another connection's body is put together where this one's was.
  other.stream.write(piece.fill("#"));
  upstream.socket.resume();
  const body = await upstream.until(letterOf(count - 1).repeat(pieceBytes));
  expect(body).toHaveLength(count * pieceBytes);
  for (let i = 0; i < count; i++) {
    expect(body.slice(i * pieceBytes, (i + 1) * pieceBytes) === letterOf(i).repeat(pieceBytes)).toBe(true);
  }
});

test("a response that ends before the request does is reported, and the connection is not used again", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, chunked);
  exchange.stream.write(Buffer.from("half"));
  const upstream = await world.server.connection(0);
  await upstream.until("half\r\n");
  upstream.socket.write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n");
  expect(await exchange.settled()).toEqual(["head 413", "end"]);
  expect(exchange.stream.write(Buffer.from("other half"))).toBe(true);
  exchange.stream.end();
  await upstream.closed();
  expect(upstream.received).toBe("");
});

test("bytes behind a request's end are a mistake of ours that never reaches the wire", async () => {
  await using world = await World.start();
  const { stream } = RecordedExchange.send(world.pool);
  expect(() => stream.write(Buffer.from("GET /smuggled"))).toThrow("after the request's end");
});

test("no drain is announced to a caller that was not asked to stop", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, chunked);
  // More than a Node stream likes to hold, less than we do.
  expect(exchange.stream.write(Buffer.alloc(20_000))).toBe(true);
  exchange.stream.end();
  const upstream = await world.server.connection(0);
  await upstream.until("\r\n0\r\n\r\n");
  upstream.socket.write(done);
  expect(await exchange.settled()).toEqual(["head 200", "end"]);
});

test("what arrives before a request has been sent is no answer to it", async () => {
  await using world = await World.start();
  const first = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write(done);
  await first.settled();
  // From an immediate the sockets are read before the next immediate, which sends the head.
  await turns(1);
  upstream.socket.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
  const exchange = RecordedExchange.send(world.pool, {
    method: "PUT",
    body: "length",
    fields: "content-length: 2\r\n",
  });
  const fresh = await world.server.connection(1);
  await fresh.request();
  exchange.stream.write(Buffer.from("hi"));
  exchange.stream.end();
  await fresh.until("hi");
  fresh.socket.write(done);
  expect(await exchange.settled()).toEqual(["head 200", "end"]);
  expect(upstream.received).toBe("");
});
