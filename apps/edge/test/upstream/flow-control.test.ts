import { expect, test } from "vitest";
import { RecordedExchange, turns } from "./recorded-exchange.ts";
import { World } from "./raw-server.ts";

const response =
  "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n";
const calls = ["informational 103", "head 200", "data a", "data b", "data c", "end"];

test("a pause from inside any call holds back the rest of the read until resume", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  exchange.during = () => exchange.stream.pause();
  upstream.socket.write(response);
  for (const [index, call] of calls.entries()) {
    if (index > 0) exchange.stream.resume();
    await exchange.next(call.split(" ")[0] ?? "");
    await turns();
    expect(exchange.calls.filter((made) => made !== "flush")).toEqual(calls.slice(0, index + 1));
  }
  // The connection is none the worse.
  const next = RecordedExchange.send(world.pool);
  // What comes before the request has left would not be its answer.
  await turns();
  upstream.socket.write(response);
  expect((await next.settled()).filter((made) => made !== "flush")).toEqual(calls);
  expect(world.server.connections).toHaveLength(1);
});

test("the end waits for resume when the head that pauses is all there is", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, { method: "HEAD" });
  const upstream = await world.server.connection(0);
  await upstream.request();
  exchange.during = () => exchange.stream.pause();
  upstream.socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
  await exchange.next("head");
  await turns();
  expect(exchange.calls).toEqual(["head 200"]);
  exchange.stream.resume();
  expect(await exchange.settled()).toEqual(["head 200", "end"]);
  expect(world.manager.stats()).toMatchObject([{ idleConnections: 1 }]);
});

test("a flush that a pause has held up follows the resume", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  exchange.during = (call) => {
    if (call === "head 200") exchange.stream.pause();
  };
  upstream.socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
  await exchange.next("head");
  await turns();
  exchange.stream.resume();
  await exchange.next("flush");
  expect(exchange.calls).toEqual(["head 200", "flush"]);
  upstream.socket.end();
  await exchange.settled();
});

test("pause and resume from inside one call change nothing", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  exchange.during = () => {
    exchange.stream.pause();
    exchange.stream.resume();
  };
  upstream.socket.write(response);
  expect(await exchange.settled()).toEqual(calls);
});

test("resume does not call back from inside itself", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  exchange.during = (call) => {
    if (call === "data a") exchange.stream.pause();
  };
  upstream.socket.write(response);
  await exchange.next("data");
  await turns();
  exchange.stream.resume();
  expect(exchange.calls.at(-1)).toBe("data a");
  expect((await exchange.settled()).at(-1)).toBe("end");
});

test("a stream paused before it is connected loses nothing", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  exchange.stream.pause();
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write(response);
  await turns(10);
  expect(exchange.calls).toEqual([]);
  exchange.stream.resume();
  expect((await exchange.settled()).filter((made) => made !== "flush")).toEqual(calls);
});

test("a pause between reads stops reading, and an end of connection waits behind what was held back", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write("HTTP/1.1 200 OK\r\n\r\nfirst");
  await exchange.next("flush");
  exchange.stream.pause();
  upstream.socket.end("last");
  await turns(10);
  expect(exchange.calls).toEqual(["head 200", "data first", "flush"]);
  expect(exchange.stream.bufferedBytes).toBe(0);
  exchange.stream.resume();
  expect((await exchange.settled()).filter((made) => made !== "flush")).toEqual([
    "head 200",
    "data first",
    "data last",
    "end",
  ]);
});

test("an abort while paused drops what was held back", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  exchange.during = () => exchange.stream.pause();
  upstream.socket.write(response);
  await exchange.next("informational");
  exchange.stream.resume();
  exchange.stream.abort();
  await upstream.closed();
  expect(exchange.calls).toEqual(["informational 103"]);
});

test("what is held back survives what other connections read in the meantime", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  await upstream.request();
  exchange.during = (call) => {
    if (call === "head 200") exchange.stream.pause();
  };
  upstream.socket.write("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nprecious");
  await exchange.next("head");
  const other = RecordedExchange.send(world.pool);
  (await world.server.connection(1)).socket.write("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n".padEnd(139, "x"));
  await other.settled();
  exchange.stream.resume();
  expect(await exchange.settled()).toEqual(["head 200", "data precious", "end"]);
});
