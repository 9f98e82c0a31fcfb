// What is refused before anything is forwarded: each case is read differently by some other HTTP implementation.
import { describe, expect, it } from "vitest";
import { isUwsMissing, start } from "./engine.ts";
import { get, hasResponses, rawClient } from "./raw-client.ts";

const host = "Host: a.example\r\n";

describe.skipIf(isUwsMissing)("requests that are refused", () => {
  const cases: [claim: string, request: string, status: string][] = [
    ["repeated Content-Length", `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde`, "400"],
    [
      "repeated equal Content-Length",
      `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
      "400",
    ],
    ["an empty Content-Length", `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\n`, "400"],
    ["a Content-Length list", `POST / HTTP/1.1\r\n${host}Content-Length: 3, 3\r\n\r\nabc`, "400"],
    ["a signed Content-Length", `POST / HTTP/1.1\r\n${host}Content-Length: +3\r\n\r\nabc`, "400"],
    ["repeated Host", `GET / HTTP/1.1\r\n${host}Host: b.example\r\n\r\n`, "400"],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"],
    ["no Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", "400"],
    ["a Host with a path", "GET / HTTP/1.1\r\nHost: a.example/x\r\n\r\n", "400"],
    ["two Hosts in one", "GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n", "400"],
    ["an unknown transfer coding", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, "501"],
    ["a coding before chunked", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, "501"],
    ["an empty Transfer-Encoding", `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\r\n\r\n`, "501"],
    [
      "repeated Transfer-Encoding",
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "400",
    ],
    [
      "Transfer-Encoding and Content-Length",
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
      "400",
    ],
    [
      "an empty Transfer-Encoding beside Content-Length",
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nabcde`,
      "400",
    ],
    ["a method that is no token", `G@T(/ / HTTP/1.1\r\n${host}\r\n`, "400"],
    ["CONNECT with a path", `CONNECT /x HTTP/1.1\r\n${host}\r\n`, "501"],
    ["a header value that is no UTF-8", `GET / HTTP/1.1\r\n${host}X: a\xe9b\r\n\r\n`, "400"],
    ["a target that is no UTF-8", `GET /caf\xe9 HTTP/1.1\r\n${host}\r\n`, "400"],
    ["too many headers", get("/", "X: y\r\n".repeat(50)), "431"],
    ["too long a head in one read", get("/", `X: ${"y".repeat(17_000)}\r\n`), "431"],
    ["absolute form", `GET http://a.example/ HTTP/1.1\r\n${host}\r\n`, "505"],
    ["HTTP/1.0", `GET / HTTP/1.0\r\n${host}\r\n`, "505"],
  ];

  it.each(cases)("%s", async (_claim, request, status) => {
    using world = await start();
    using client = rawClient(world.port).send(request);
    const received = await client.all();
    expect(received.split(" ")[1]).toBe(status);
    expect(received.toLowerCase()).toContain("\r\nconnection: close\r\n");
    expect(world.handler.seen).toEqual([]);
  });

  it("are answered as sluice, with their length, and reported", async () => {
    using world = await start();
    using client = rawClient(world.port).send(`GET / HTTP/1.1\r\n${host}Host: b\r\n\r\n`);
    const received = await client.all();
    expect(received).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\nserver: sluice\r\nconnection: close\r\ndate: [^\r]+GMT\r\ncontent-length: 0\r\n\r\n$/,
    );
    expect(world.observer.refused).toEqual(["bad_request"]);
  });

  it("take what is pipelined behind them along", async () => {
    using world = await start();
    const smuggler = `POST / HTTP/1.1\r\n${host}Content-Length: 0\r\nContent-Length: 40\r\n\r\n`;
    using client = rawClient(world.port).send(smuggler + get("/smuggled"));
    await client.closed;
    expect(world.handler.seen).toEqual([]);
  });

  it("too long a head in several reads", async () => {
    using world = await start();
    using client = rawClient(world.port).send(`GET / HTTP/1.1\r\n${host}X: ${"y".repeat(9000)}`);
    client.socket.once("connect", () => setImmediate(() => client.send("y".repeat(9000))));
    expect(await client.all()).toMatch(/^HTTP\/1\.1 431 /);
    expect(world.handler.seen).toEqual([]);
  });
});

describe.skipIf(isUwsMissing)("requests that are accepted", () => {
  it("carry their head as it was sent", async () => {
    using world = await start();
    using client = rawClient(world.port).send(
      "PATCH /a%20b/../c?d=%2F?e HTTP/1.1\r\nHost: A.example:8443\r\nX-One: 1\r\nx-two:  2 \r\nX-One: 3\r\nContent-Length: 2\r\n\r\nok",
    );
    await client.until(hasResponses(1, "hello"));
    const [seen] = world.handler.seen;
    expect(seen?.exchange).toMatchObject({
      method: "PATCH",
      target: "/a%20b/../c?d=%2F?e",
      authority: "A.example:8443",
      host: "a.example",
      protocol: "HTTP/1.1",
      scheme: "http",
      bodyLength: 2,
      headers: ["x-one", "1", "x-two", "2", "x-one", "3", "content-length", "2"],
    });
    expect(seen?.body.toString()).toBe("ok");
    expect(seen?.events).toEqual(["request", "data:2", "end"]);
  });

  it("keep a lone question mark", async () => {
    using world = await start();
    using client = rawClient(world.port).send(get("/x?"));
    await client.until(hasResponses(1, "hello"));
    expect(world.handler.seen[0]?.exchange.target).toBe("/x?");
  });

  it("carry bytes above 127 as one char each, never as a line feed", async () => {
    using world = await start();
    // U+010A in UTF-8: its low byte is a line feed.
    using client = rawClient(world.port).send(get("/\xc4\x8a", "X: a\xc4\x8ab\r\n"));
    await client.until(hasResponses(1, "hello"));
    const exchange = world.handler.seen[0]?.exchange;
    expect(exchange?.target).toBe("/\xc4\x8a");
    expect(exchange?.header("x")).toBe("a\xc4\x8ab");
  });

  it("tell where they came from and where they went", async () => {
    using world = await start();
    using client = rawClient(world.port).send(get("/"));
    await client.until(hasResponses(1, "hello"));
    expect(world.handler.seen[0]?.exchange.downstream).toEqual({
      listener: "0.0.0.0_80",
      filterChain: "http.80",
      trust: "",
      scheme: "http",
      remoteAddress: "127.0.0.1",
      remotePort: 0,
      localAddress: "127.0.0.1",
      localPort: world.port,
      sni: null,
      peerCertificate: null,
      tlsVersion: null,
    });
  });

  it("with Expect get one 100 Continue", async () => {
    using world = await start();
    using client = rawClient(world.port).send(
      `POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`,
    );
    await client.until((received) => received.startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    client.send("abc");
    const received = await client.until(hasResponses(1, "hello"));
    expect(received.split("100 Continue")).toHaveLength(2);
    expect(world.handler.seen[0]?.body.toString()).toBe("abc");
  });

  it("one after the other share a connection, also pipelined", async () => {
    using world = await start();
    using client = rawClient(world.port).send(get("/1") + get("/2"));
    await client.until(hasResponses(2, "hello"));
    client.send(get("/3"));
    await client.until(hasResponses(3, "hello"));
    expect(world.handler.seen.map(({ exchange }) => exchange.target)).toEqual(["/1", "/2", "/3"]);
    expect(world.observer.opened).toBe(1);
  });
});
