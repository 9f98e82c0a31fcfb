import { expect, test } from "vitest";
import { World } from "./raw-server.ts";
import { RecordedExchange } from "./recorded-exchange.ts";

const chunked = { method: "POST", body: "chunked", fields: "transfer-encoding: chunked\r\n" } as const;
const head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n";

test("trailers of a response are handed on, without those that would change what the head said", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  (await world.server.connection(0)).socket.write(
    `${head}0\r\nGrpc-Status: 0\r\nx-sum: a\r\nx-sum: b\r\nset-cookie: a=1\r\ncontent-type: text/html\r\nhost: evil\r\n` +
      "x-forwarded-for: 1.1.1.1\r\nx-envoy-internal: true\r\nconnection: close\r\n\r\n",
  );
  expect((await exchange.settled()).at(-1)).toBe("end");
  expect(exchange.trailers).toEqual(["grpc-status", "0", "x-sum", "a", "x-sum", "b"]);
});

test("trailers of one response are not those of the next", async () => {
  await using world = await World.start();
  const first = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  upstream.socket.write(`${head}0\r\na: b\r\n\r\n`);
  await first.settled();
  const second = RecordedExchange.send(world.pool);
  upstream.socket.write(`${head}0\r\n\r\n`);
  await second.settled();
  expect(first.trailers).toEqual(["a", "b"]);
  expect(second.trailers).toEqual([]);
});

test("more trailers than are worth holding end the response as a fault", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  (await world.server.connection(0)).socket.write(`${head}0\r\n${"x-filler: y\r\n".repeat(2000)}`);
  expect((await exchange.settled()).at(-1)).toBe("error upstream_protocol_error");
});

test("trailers of a request follow its last chunk, without those that would change its head", async () => {
  await using world = await World.start();
  const { stream } = RecordedExchange.send(world.pool, chunked);
  stream.write(Buffer.from("hello"));
  stream.end(["x-sum", "7", "transfer-encoding", "chunked", "authorization", "Basic x", "x-last", "z"]);
  const upstream = await world.server.connection(0);
  expect(await upstream.until("z\r\n\r\n")).toBe(
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\nx-last: z\r\n\r\n",
  );
});

test("a body of announced length has no place for trailers", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, {
    method: "PUT",
    body: "length",
    fields: "content-length: 2\r\n",
  });
  exchange.stream.write(Buffer.from("hi"));
  exchange.stream.end(["x-smuggled", "1"]);
  const upstream = await world.server.connection(0);
  await upstream.until("hi");
  upstream.socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  expect((await exchange.settled()).at(-1)).toBe("end");
  expect(upstream.received).toBe("");
});

test.each([
  ["more", "hello, GET /smuggled"],
  ["less", "he"],
])("a body with %s bytes than announced ends the request and its connection", async (_name, body) => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, {
    method: "POST",
    body: "length",
    fields: "content-length: 5\r\n",
  });
  const upstream = await world.server.connection(0);
  await upstream.request();
  expect(exchange.stream.write(Buffer.from(body))).toBe(true);
  exchange.stream.end();
  expect(await exchange.settled()).toEqual(["error bad_request"]);
  await upstream.closed();
  expect(upstream.received).not.toContain("smuggled");
  expect(world.manager.stats()).toMatchObject([{ openConnections: 0, activeRequests: 0 }]);
});
