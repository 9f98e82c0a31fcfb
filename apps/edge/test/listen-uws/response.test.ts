// How responses look on the wire, and what happens when the client does not keep up.
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { isUwsMissing, start } from "./engine.ts";
import { respond } from "./fake-handler.ts";
import { get, hasResponses, rawClient } from "./raw-client.ts";

const date = /\r\ndate: [^\r]+ GMT/i;
/** The response without its date. */
const withoutDate = (response: string): string => response.replace(date, "");

describe.skipIf(isUwsMissing)("responses", () => {
  it("of known length have one of each framing header, whatever the upstream sent", async () => {
    using world = await start();
    world.handler.answer = (exchange) =>
      respond(exchange, 404, "gone", [
        "date",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "content-length",
        "99",
        "transfer-encoding",
        "chunked",
        "connection",
        "x-hop",
        "keep-alive",
        "timeout=5",
        "x-a",
        "1",
        "x-a",
        "2",
      ]);
    using client = rawClient(world.port).send(get("/"));
    const received = await client.until(hasResponses(1, "gone"));
    expect(received).not.toContain("1970");
    expect(withoutDate(received)).toBe("HTTP/1.1 404 Not Found\r\nx-a: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\ngone");
  });

  it("of unknown length are chunked, and their pieces leave as they come", async () => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.sendHead(200, [], -1);
      exchange.sendData(Buffer.from("one"));
    };
    using client = rawClient(world.port).send(get("/"));
    await client.until((received) => received.endsWith("\r\n\r\n3\r\none"));
    const [seen] = world.handler.seen;
    seen?.exchange.sendData(Buffer.from("three"));
    seen?.exchange.sendEnd();
    const received = await client.until((text) => text.endsWith("0\r\n\r\n"));
    expect(withoutDate(received)).toBe(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n\r\n",
    );
  });

  it("of unknown length that turn out empty have length 0", async () => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.sendHead(200, [], -1);
      exchange.sendEnd();
    };
    using client = rawClient(world.port).send(get("/") + get("/"));
    expect(withoutDate(await client.until(hasResponses(2, "")))).toMatch(
      /^HTTP\/1\.1 200 OK\r\nContent-Length: 0\r\n\r\n/,
    );
  });

  const bodiless: [claim: string, given: { method: string; status: number; length: number }, framing: string][] = [
    ["HEAD with a length reports it", { method: "HEAD", status: 200, length: 100 }, "\r\nContent-Length: 100"],
    ["HEAD with length 0 reports it", { method: "HEAD", status: 200, length: 0 }, "\r\nContent-Length: 0"],
    ["HEAD without a length reports none", { method: "HEAD", status: 200, length: -1 }, ""],
    ["204 reports none", { method: "GET", status: 204, length: 0 }, ""],
    ["304 without a length reports none", { method: "GET", status: 304, length: 0 }, ""],
    ["304 with a length reports it", { method: "GET", status: 304, length: 7 }, "\r\nContent-Length: 7"],
  ];
  it.each(bodiless)("%s, has no body and keeps the connection", async (_claim, given, framing) => {
    const { method, status, length } = given;
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.sendHead(status, ["x-a", "1"], length);
      exchange.sendData(Buffer.from("never sent"));
      exchange.sendEnd();
    };
    const request = `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
    using client = rawClient(world.port).send(request);
    await client.until(hasResponses(1, ""));
    client.send(request);
    const received = await client.until(hasResponses(2, ""));
    const [first, second, rest] = received.split("\r\n\r\n");
    expect(withoutDate(first ?? "")).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Za-z ]+\r\nx-a: 1${framing}$`));
    expect(second?.split("\r\n")[0]).toBe(first?.split("\r\n")[0]);
    expect(rest).toBe("");
    expect(world.handler.seen.flatMap(({ events }) => events)).toEqual(["request", "request"]);
  });

  it("carry bytes above 127 in headers unchanged", async () => {
    using world = await start();
    world.handler.answer = (exchange) => respond(exchange, 200, "hello", ["x-name", "caf\xe9 \xc3\xa9"]);
    using client = rawClient(world.port).send(get("/"));
    expect(await client.until(hasResponses(1, "hello"))).toContain("\r\nx-name: caf\xe9 \xc3\xa9\r\n");
  });

  it("cannot be split by a header value", async () => {
    using world = await start();
    world.handler.answer = (exchange) => respond(exchange, 200, "hello", ["x-a", "1\r\nx-evil: 2\r\n\r\n\0"]);
    using client = rawClient(world.port).send(get("/"));
    expect(await client.until(hasResponses(1, "hello"))).toContain("\r\nx-a: 1  x-evil: 2     \r\n");
  });

  it("with a known length send their head at once when flushed", async () => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.sendHead(200, [], 5);
      exchange.flush();
    };
    using client = rawClient(world.port).send(get("/"));
    await client.until((received) => received.endsWith("\r\nContent-Length: 5\r\n\r\n"));
    world.handler.seen[0]?.exchange.sendData(Buffer.from("he"));
    await client.until(hasResponses(1, "he"));
    world.handler.seen[0]?.exchange.sendData(Buffer.from("llo"));
    world.handler.seen[0]?.exchange.sendEnd();
    await client.until(hasResponses(1, "hello"));
    client.send(get("/"));
    await world.handler.next("request");
  });

  it("that are reset end the connection before their announced length", async () => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.sendHead(200, [], 10);
      exchange.sendData(Buffer.from("half"));
      setImmediate(() => exchange.reset());
    };
    using client = rawClient(world.port).send(get("/"));
    expect(await client.all()).toMatch(/Content-Length: 10\r\n\r\nhalf$/);
    expect(world.handler.seen[0]?.events).toEqual(["request"]);
  });

  it("that end short of their announced length are reset", async () => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.sendHead(200, [], 10);
      exchange.sendData(Buffer.from("half"));
      exchange.sendEnd();
    };
    using client = rawClient(world.port).send(get("/"));
    await client.closed;
    expect(client.received.length).toBeLessThan(200);
  });
});

describe.skipIf(isUwsMissing)("a client that reads slowly", () => {
  const pieceBytes = 64 * 1024;
  const totalBytes = 32 * 1024 * 1024;
  // Every byte depends on its place, so that a piece sent twice or left out shows.
  const piece = (index: number): Buffer => {
    const bytes = Buffer.alloc(pieceBytes);
    for (let i = 0; i < pieceBytes; i += 4) bytes.writeUInt32BE(index * pieceBytes + i, i);
    return bytes;
  };

  it.each([
    ["length", totalBytes, false],
    ["chunked", -1, false],
    ["length and close", totalBytes, true],
    ["chunked and close", -1, true],
  ])("gets every byte once, and holds the sender back (%s)", async (_framing, bodyLength, closes) => {
    using world = await start();
    let sent = 0;
    let refusedAfter = 0;
    const pump = (exchange: Exchange): void => {
      while (sent * pieceBytes < totalBytes) {
        const chunk = piece(sent++);
        const goesOn = exchange.sendData(chunk);
        // The chunk is only valid during the call.
        chunk.fill(0);
        if (goesOn) continue;
        if (refusedAfter === 0) refusedAfter = sent;
        return;
      }
      exchange.sendEnd();
      exchange.isDone = true;
    };
    world.handler.answer = (exchange) => {
      exchange.closesConnection = closes;
      exchange.sendHead(200, [], bodyLength);
      pump(exchange);
    };
    world.handler.onDrain = pump;
    using client = rawClient(world.port);
    client.keeps = false;
    const chunks: Buffer[] = [];
    client.socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    client.socket.pause();
    client.send(get("/"));
    await world.handler.next("request");
    expect(refusedAfter).toBeGreaterThan(0);
    expect(refusedAfter * pieceBytes).toBeLessThan(totalBytes);
    client.socket.resume();
    const isComplete = (): boolean => {
      const tail = chunks.at(-1)?.toString("latin1") ?? "";
      return bodyLength > 0
        ? client.receivedBytes > totalBytes
        : tail.endsWith("\r\n\r\n") && tail.includes("\r\n0\r\n");
    };
    // A chunked answer under backpressure waits for its client to close: the engine does not tell when all has left.
    if (closes && bodyLength > 0) await client.closed;
    else await client.until(isComplete);
    const body = bodyOf(Buffer.concat(chunks));
    expect(body.length).toBe(totalBytes);
    for (let i = 0; i < totalBytes; i += 4) if (body.readUInt32BE(i) !== i) expect.fail(`wrong byte at ${i}`);
    expect(world.handler.seen[0]?.events).not.toContain("aborted");
  });

  it("gets a chunked answer though nothing more is written behind it", async () => {
    using world = await start();
    let sent = 0;
    world.handler.answer = (exchange) => {
      exchange.sendHead(200, [], -1);
      while (exchange.sendData(piece(sent++)));
    };
    using client = rawClient(world.port);
    client.keeps = false;
    client.socket.pause();
    client.send(get("/"));
    await world.handler.next("request");
    client.socket.resume();
    await client.until(() => client.receivedBytes > sent * pieceBytes);
    expect(world.handler.seen[0]?.events).toContain("drain");
  });

  it("and leaves is reported once", async () => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.sendHead(200, [], totalBytes);
      for (let i = 0; exchange.sendData(piece(i)); i++);
    };
    using client = rawClient(world.port);
    client.socket.pause();
    client.send(get("/"));
    await world.handler.next("request");
    const aborted = world.handler.next("aborted");
    client.socket.destroy();
    const { exchange, events } = await aborted;
    expect(events.filter((event) => event === "aborted")).toHaveLength(1);
    // Nothing that comes too late may reach the engine, which would throw.
    expect(exchange.sendData(piece(0))).toBe(true);
    exchange.flush();
    exchange.sendEnd();
    exchange.pauseBody();
    exchange.resumeBody();
    exchange.reset();
  });
});

function bodyOf(response: Buffer): Buffer {
  const bodyAt = response.indexOf("\r\n\r\n") + 4;
  if (!response.subarray(0, bodyAt).includes("Transfer-Encoding")) return response.subarray(bodyAt);
  const parts: Buffer[] = [];
  let at = bodyAt;
  for (;;) {
    const end = response.indexOf("\r\n", at);
    const size = Number.parseInt(response.toString("latin1", at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(response.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
