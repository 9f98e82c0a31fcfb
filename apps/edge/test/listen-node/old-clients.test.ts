// HTTP/1.0, where it is allowed, and HTTP/2 without TLS.
import { once } from "node:events";
import { connect } from "node:http2";
import { describe, expect, test } from "vitest";
import { codecInUse, exchangeRaw, openTcp, readUntil, respond, startListener } from "./support.ts";

const allowed = { limits: { allowsHttp10: true } };

describe("HTTP/1.0", () => {
  test("is refused with 426 unless it is allowed", async () => {
    await using listener = await startListener();
    expect(await exchangeRaw(listener.port, "GET / HTTP/1.0\r\nhost: a.example\r\n\r\n")).toMatch(/^HTTP\/1\.1 426 /);
    expect(listener.refused).toEqual(["low_version"]);
  });

  test("gets its answer and the end of the connection", async () => {
    await using listener = await startListener(allowed);
    const received = await exchangeRaw(
      listener.port,
      "GET /a HTTP/1.0\r\nhost: a.example\r\nconnection: keep-alive\r\n\r\n",
    );
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received).toContain("connection: close\r\n");
    expect(received).toMatch(/\r\n\r\nhello$/);
    expect(listener.handler.exchanges[0]).toMatchObject({ protocol: "HTTP/1.0", target: "/a" });
  });

  test("gets a body of unknown length without chunks and without interim responses", async () => {
    await using listener = await startListener(allowed);
    listener.handler.answer = (exchange) => {
      exchange.sendInformational(103, ["link", "</a>"]);
      exchange.isResponseStarted = true;
      exchange.sendHead(200, [], -1);
      exchange.sendData(Buffer.from("hello"));
      exchange.sendEnd(["x-sum", "1"]);
    };
    const received = await exchangeRaw(listener.port, "GET / HTTP/1.0\r\nhost: a.example\r\n\r\n");
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received).not.toMatch(/transfer-encoding|103/);
    expect(received).toMatch(/\r\n\r\nhello$/);
  });

  test.each([
    ["with chunks", "POST / HTTP/1.0\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400],
    ["without Host", "GET / HTTP/1.0\r\n\r\n", 400],
    ["of version 0.9", "GET / HTTP/0.9\r\nhost: a.example\r\n\r\n", 400],
  ])("%s is refused", async (_name, text, status) => {
    await using listener = await startListener(allowed);
    expect(await exchangeRaw(listener.port, text)).toMatch(new RegExp(`^HTTP/1\\.1 (${status}|426) `));
    expect(listener.handler.exchanges).toHaveLength(0);
  });
});

describe("HTTP/2 without TLS", () => {
  test("is spoken with clients that begin with its preface", async () => {
    await using listener = await startListener();
    const client = connect(`http://127.0.0.1:${listener.port}`);
    const stream = client.request({ ":path": "/a", ":authority": "a.example" });
    const [head] = await once(stream, "response");
    expect(head).toMatchObject({ ":status": 200 });
    expect(listener.handler.exchanges[0]).toMatchObject({ protocol: "HTTP/2", scheme: "http", authority: "a.example" });
    client.destroy();
  });

  test("is known by a preface that comes in pieces, and is not mistaken for a method of that name", async () => {
    await using listener = await startListener();
    const socket = await openTcp(listener.port);
    const answered = once(socket, "data");
    for (const byte of "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
      socket.write(byte);
      // One write a byte.
      // eslint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [settings] = (await answered) as [Buffer];
    expect(settings[3]).toBe(4);
    socket.destroy();
    const printed = await exchangeRaw(listener.port, "PRINT / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    // node:http knows a list of methods, and this one is not in it.
    expect(printed).toMatch(codecInUse === "own" ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 400 /);
  });

  test("a client that says nothing, or only half a preface, is closed in time", async () => {
    await using listener = await startListener({ limits: { requestHeadTimeoutMs: 50 } });
    expect(await exchangeRaw(listener.port, "")).toBe("");
    expect(await exchangeRaw(listener.port, "PRI * HT")).toBe("");
  });

  test("HTTP/1.1 in pieces is served as ever", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => respond(exchange, 200, "hello");
    const socket = await openTcp(listener.port);
    socket.write("P");
    await new Promise((resolve) => setImmediate(resolve));
    socket.write("OST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\nhi");
    expect(await readUntil(socket, "hello")).toMatch(/^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });
});
