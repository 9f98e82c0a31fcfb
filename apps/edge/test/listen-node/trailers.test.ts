// Trailers in both directions on both versions of HTTP.
import { once } from "node:events";
import { connect } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { exchangeRaw, startListener, TestHandler } from "./support.ts";

/** Remembers the request's trailers and answers in pieces, with trailers of its own. */
class TrailerHandler extends TestHandler {
  trailers: readonly string[] = [];

  override onRequestEnd(exchange: Exchange, trailers: readonly string[] = []): void {
    this.trailers = trailers;
    super.onRequestEnd(exchange);
  }
}

function answerWithTrailers(exchange: Exchange, trailers: readonly string[]): void {
  exchange.isResponseStarted = true;
  exchange.sendHead(200, ["trailer", "x-sum", "content-type", "text/plain"], -1);
  exchange.sendData(Buffer.from("hello"));
  exchange.sendEnd(trailers);
}

const chunkedPost =
  "POST / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n" +
  "5\r\nhello\r\n0\r\nX-Sum: 1\r\nCookie: a=b\r\nHost: b.example\r\nX-Forwarded-For: 1.2.3.4\r\nX-More: 2\r\n\r\n";

describe("over HTTP/1.1", () => {
  test("trailers of a request reach the handler, without those that would decide anything", async () => {
    const handler = new TrailerHandler();
    await using listener = await startListener({ handler });
    handler.events.on("end", (exchange: Exchange) => answerWithTrailers(exchange, []));
    handler.answer = () => {};
    const received = await exchangeRaw(listener.port, chunkedPost);
    expect(received).toContain("200 OK");
    expect(handler.trailers).toEqual(["x-sum", "1", "x-more", "2"]);
  });

  test("trailers of a response follow the last chunk", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => answerWithTrailers(exchange, ["x-sum", "1", "content-length", "9"]);
    const received = await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
    expect(received).toContain("trailer: x-sum\r\n");
    expect(received).toMatch(/5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n$/);
  });

  test("a response of known length has no place for them and does not announce them", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => {
      exchange.sendHead(200, ["trailer", "x-sum"], 5);
      exchange.sendData(Buffer.from("hello"));
      exchange.sendEnd(["x-sum", "1"]);
    };
    const received = await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
    expect(received).toMatch(/\r\n\r\nhello$/);
    expect(received).not.toContain("x-sum");
  });

  test("a trailer that Node would not write is left out and the body stays whole", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => answerWithTrailers(exchange, ["x sum", "1"]);
    const received = await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
    expect(received).toMatch(/5\r\nhello\r\n0\r\n\r\n$/);
  });
});

describe("over HTTP/2", () => {
  test("trailers of a request reach the handler, without those that would decide anything", async () => {
    const handler = new TrailerHandler();
    await using listener = await startListener({ handler });
    handler.answer = () => {};
    handler.events.on("end", (exchange: Exchange) => answerWithTrailers(exchange, []));
    using client = session(listener.port);
    const stream = client.session.request({ ":method": "POST" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "1", cookie: "a=b", "x-forwarded-for": "1.2.3.4" }));
    stream.end("hello");
    expect(await textOf(stream)).toBe("hello");
    expect(handler.trailers).toEqual(["x-sum", "1"]);
  });

  test.each([
    ["of unknown length", "text/plain", -1],
    ["of gRPC with a length", "application/grpc", 5],
  ])("trailers of a response %s follow its body", async (_name, type, length) => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => {
      exchange.isResponseStarted = true;
      exchange.sendHead(200, ["content-type", type], length);
      exchange.sendData(Buffer.from("hello"));
      exchange.sendEnd(["grpc-status", "0", "x-sum", "1", "connection", "close"]);
      exchange.isDone = true;
    };
    using client = session(listener.port);
    const stream = client.session.request({ ":method": "POST" });
    stream.end();
    const trailers = once(stream, "trailers");
    expect(await textOf(stream)).toBe("hello");
    expect((await trailers)[0]).toMatchObject({ "grpc-status": "0", "x-sum": "1" });
    expect(stream.rstCode).toBe(0);
  });

  test("trailers arrive also when the response is complete before the request", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => answerWithTrailers(exchange, ["grpc-status", "8"]);
    using client = session(listener.port);
    const stream = client.session.request({ ":method": "POST" });
    stream.write("part");
    const trailers = once(stream, "trailers");
    expect(await textOf(stream)).toBe("hello");
    expect((await trailers)[0]).toMatchObject({ "grpc-status": "8" });
  });

  test("a response without trailers ends without any", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => answerWithTrailers(exchange, []);
    using client = session(listener.port);
    const stream = client.session.request({});
    let sawTrailers = false;
    stream.on("trailers", () => (sawTrailers = true));
    expect(await textOf(stream)).toBe("hello");
    expect(sawTrailers).toBe(false);
  });
});

function session(port: number): Disposable & { readonly session: ClientHttp2Session } {
  const client = connect(`http://127.0.0.1:${port}`);
  client.on("error", () => undefined);
  return { session: client, [Symbol.dispose]: () => client.destroy() };
}

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => (text += chunk));
  await once(stream, "end");
  return text;
}
