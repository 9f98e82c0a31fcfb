// Connections that close after a response, and the traps around them: nothing more may be read from such a connection.
import { describe, expect, it } from "vitest";
import { isUwsMissing, start } from "./engine.ts";
import { respond } from "./fake-handler.ts";
import { get, hasResponses, rawClient } from "./raw-client.ts";

const chunkedHead = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";

describe.skipIf(isUwsMissing)("after a request with Transfer-Encoding", () => {
  const trailers: [claim: string, rest: string][] = [
    ["trailers", "0\r\nX-Trailer: 1\r\n\r\n"],
    ["a request in place of trailers", `0\r\n${get("/smuggled")}`],
    ["a request behind the body", `0\r\n\r\n${get("/smuggled")}`],
    ["trailers and a request", `0\r\nX-Trailer: 1\r\n\r\n${get("/smuggled")}`],
  ];

  it.each(trailers)("%s in the same read are never a request", async (_claim, rest) => {
    using world = await start();
    world.handler.answer = (exchange) => setImmediate(() => respond(exchange, 200, "hello"));
    using client = rawClient(world.port).send(`${chunkedHead}5\r\nabcde\r\n${rest}`);
    await client.closed;
    expect(world.handler.seen.map(({ exchange }) => exchange.target)).toEqual(["/"]);
    expect(world.handler.seen[0]?.body.toString()).toBe("abcde");
  });

  it.each(trailers)("%s are never a request when the answer was given early", async (_claim, rest) => {
    using world = await start();
    world.handler.early = (exchange) => respond(exchange, 200, "hello");
    using client = rawClient(world.port).send(`${chunkedHead}5\r\nabcde\r\n${rest}`);
    await client.closed;
    expect(world.handler.seen.map(({ exchange }) => exchange.target)).toEqual(["/"]);
  });

  it("what comes after the answer is never a request", async () => {
    using world = await start();
    using client = rawClient(world.port).send(`${chunkedHead}5\r\nabcde\r\n0\r\n`);
    await client.until(hasResponses(1, "hello"));
    client.send(get("/smuggled"));
    await client.closed;
    expect(world.handler.seen).toHaveLength(1);
  });

  it("the answer says so, and has all its body", async () => {
    using world = await start();
    using client = rawClient(world.port).send(`${chunkedHead}5\r\nabcde\r\n0\r\n\r\n`);
    const received = await client.all();
    expect(received).toContain("\r\nconnection: close\r\n");
    expect(received.match(/connection/gi)).toHaveLength(1);
    expect(received).toMatch(/\r\nContent-Length: 5\r\n\r\nhello$/);
  });

  it("its body has the chunks' content, length unknown", async () => {
    using world = await start();
    using client = rawClient(world.port).send(`${chunkedHead}5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n`);
    await client.closed;
    const [seen] = world.handler.seen;
    expect(seen?.exchange.bodyLength).toBe(-1);
    expect(seen?.body.toString()).toBe("abcdefgh");
    expect(seen?.events.at(-1)).toBe("end");
  });
});

describe.skipIf(isUwsMissing)("a response that closes its connection", () => {
  const send: [claim: string, length: number, pieces: string[], tail: RegExp][] = [
    ["in one piece", 5, ["hello"], /\r\nContent-Length: 5\r\n\r\nhello$/],
    ["in several pieces", 5, ["he", "ll", "o"], /\r\nContent-Length: 5\r\n\r\nhello$/],
    ["without a body", 0, [], /\r\ncontent-length: 0\r\n\r\n$/],
    [
      "without known length",
      -1,
      ["he", "llo"],
      /\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-sluice-connection: close\r\n\r\n$/,
    ],
    ["without known length, empty", -1, [], /\r\ncontent-length: 0\r\n\r\n$/],
  ];

  it.each(send)("is complete, says so once and ends the connection: %s", async (_claim, length, pieces, tail) => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.closesConnection = true;
      exchange.sendHead(200, [], length);
      for (const piece of pieces) exchange.sendData(Buffer.from(piece));
      exchange.sendEnd();
      exchange.isDone = true;
    };
    using client = rawClient(world.port).send(get("/"));
    const received = await client.all();
    expect(received).toMatch(tail);
    expect(received.match(/^connection: close\r$/gim)).toHaveLength(1);
    expect(received.match(/^date: /gim)).toHaveLength(1);
    expect(world.handler.seen[0]?.events).toEqual(["request"]);
  });

  it.each([
    ["204", "GET", 204, 0],
    ["HEAD", "HEAD", 200, 12],
  ])("to %s has no body either", async (_claim, method, status, length) => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.closesConnection = true;
      exchange.sendHead(status, [], length);
      exchange.sendEnd();
    };
    using client = rawClient(world.port).send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    const received = await client.all();
    expect(received).toMatch(/\r\n\r\n$/);
    expect(received.includes("content-length: 12")).toBe(method === "HEAD");
  });

  it.each(["close", "keep-alive, close", "Close", "other"])("answers Connection: %s", async (value) => {
    using world = await start();
    using client = rawClient(world.port).send(get("/", `Connection: ${value}\r\n`));
    expect(await client.all()).toMatch(/\r\nconnection: close\r\n[^]*hello$/);
  });

  it("is not given to what is pipelined behind its request", async () => {
    using world = await start();
    world.handler.answer = (exchange) => {
      exchange.closesConnection = true;
      respond(exchange, 200, "hello");
    };
    using client = rawClient(world.port).send(get("/1") + get("/2"));
    await client.closed;
    expect(world.handler.seen.map(({ exchange }) => exchange.target)).toEqual(["/1"]);
  });

  it("reaches a client that is still sending its body", async () => {
    using world = await start();
    world.handler.early = (exchange) => {
      exchange.closesConnection = true;
      respond(exchange, 413, "too long");
    };
    using client = rawClient(world.port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n`);
    client.send(Buffer.alloc(4_000_000));
    expect(await client.all()).toMatch(/^HTTP\/1\.1 413 [^]*too long$/);
    expect(await client.closed).toBe("end");
  });
});
