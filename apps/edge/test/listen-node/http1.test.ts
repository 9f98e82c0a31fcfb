import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { closed, exchangeRaw, openTcp, readUntil, respond, startListener } from "./support.ts";

const dateLine = /^date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/m;

describe("a request", () => {
  test("arrives as sent, with names in lower case, repeated headers in order and bytes beyond ASCII unchanged", async () => {
    await using listener = await startListener();
    const text =
      "POST /a%20b?x=1&y HTTP/1.1\r\nHost: A.example:8080\r\nX-One: 1\r\nCookie: a=1\r\nx-one: caf\xe9\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
    await exchangeRaw(listener.port, text);
    const [exchange] = listener.handler.exchanges;
    expect(exchange).toMatchObject({
      method: "POST",
      path: "/a%20b",
      query: "x=1&y",
      authority: "A.example:8080",
      host: "a.example",
      protocol: "HTTP/1.1",
      bodyLength: 2,
    });
    expect(exchange?.headers).toEqual([
      "x-one",
      "1",
      "cookie",
      "a=1",
      "x-one",
      "caf\xe9",
      "content-length",
      "2",
      "connection",
      "close",
    ]);
    expect(exchange?.downstream).toMatchObject({
      listener: "0.0.0.0_80",
      filterChain: "clear",
      scheme: "http",
      trust: "",
      sni: null,
      peerCertificate: null,
      tlsVersion: null,
      remoteAddress: "127.0.0.1",
      localPort: listener.port,
    });
  });

  test.each([
    ["GET http://b.example:81/p?q HTTP/1.1", "b.example:81", "/p?q"],
    ["GET HTTPS://b.example HTTP/1.1", "b.example", "/"],
    ["GET http://b.example?q HTTP/1.1", "b.example", "/?q"],
    ["OPTIONS * HTTP/1.1", "a.example", "*"],
    ["GET /[::1] HTTP/1.1", "a.example", "/[::1]"],
  ])("%s goes to %s with the target %s", async (line, authority, target) => {
    await using listener = await startListener();
    await exchangeRaw(listener.port, `${line}\r\nhost: a.example\r\nconnection: close\r\n\r\n`);
    expect(listener.handler.exchanges[0]).toMatchObject({ authority, target });
  });

  test("with Upgrade is an ordinary request", async () => {
    await using listener = await startListener();
    const text = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n";
    expect(await exchangeRaw(listener.port, text)).toContain("hello");
  });

  test("that is pipelined waits for the one before it", async () => {
    await using listener = await startListener();
    const { handler } = listener;
    handler.answer = () => undefined;
    const socket = await openTcp(listener.port);
    const requests = ["POST /1", "GET /2"].map((line) => `${line} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n`);
    socket.write(requests.join(""));
    while (handler.exchanges.length === 0) await new Promise(setImmediate);
    handler.answer = (exchange) => respond(exchange, 200, "second");
    expect(handler.exchanges.map(({ path }) => path)).toEqual(["/1"]);
    respond(handler.exchanges[0] as Exchange, 200, "first");
    const received = await readUntil(socket, "second");
    expect(received.indexOf("first")).toBeGreaterThan(0);
    expect(handler.exchanges.map(({ path }) => path)).toEqual(["/1", "/2"]);
    socket.destroy();
  });
});

describe("refused before it becomes an exchange:", () => {
  const get = (...headers: string[]): string =>
    `GET / HTTP/1.1\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`;
  const many = Array.from({ length: 101 }, (_, i) => `x-${i}: 1`);

  test.each<[string, string, number]>([
    ["no Host", get(), 400],
    ["an empty Host", get("host:"), 400],
    ["two Hosts", get("host: a", "host: a"), 400],
    ["a Host with a user name", get("host: a@b"), 400],
    ["a Host that is a list", get("host: a, b"), 400],
    ["a Host with a path", get("host: a/b"), 400],
    ["a Host with a bad port", get("host: a:b"), 400],
    ["a broken Host beside an absolute target", "GET http://a/ HTTP/1.1\r\nhost: a@b\r\n\r\n", 400],
    ["an absolute target without Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400],
    ["an absolute target with a user name", "GET http://a@b/ HTTP/1.1\r\nhost: b\r\n\r\n", 400],
    ["an absolute target of another scheme", "GET ftp://b/ HTTP/1.1\r\nhost: b\r\n\r\n", 400],
    ["an asterisk with GET", "GET * HTTP/1.1\r\nhost: b\r\n\r\n", 400],
    ["a target without slash", "GET a HTTP/1.1\r\nhost: b\r\n\r\n", 400],
    ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n", 501],
    ["HTTP/1.0", "GET / HTTP/1.0\r\nhost: a\r\n\r\n", 426],
    ["length and chunked", get("host: a", "content-length: 5", "transfer-encoding: chunked"), 400],
    ["two lengths", get("host: a", "content-length: 0", "content-length: 0"), 400],
    ["a list of lengths", get("host: a", "content-length: 0, 0"), 400],
    ["a signed length", get("host: a", "content-length: +1"), 400],
    ["a length no number can hold", get("host: a", "content-length: 9007199254740993"), 400],
    ["another coding before chunked", get("host: a", "transfer-encoding: gzip, chunked"), 501],
    ["chunked twice", get("host: a", "transfer-encoding: chunked", "transfer-encoding: chunked"), 400],
    ["a byte above 127 before chunked", get("host: a", "transfer-encoding: \xffchunked"), 501],
    ["a byte above 127 behind chunked", get("host: a", "transfer-encoding: chunked\xff"), 501],
    ["a byte above 127 before a length", get("host: a", "content-length: \xff3"), 400],
    ["a byte above 127 behind a length", get("host: a", "content-length: 3\xff"), 400],
    ["a byte above 127 before a Host", get("host: \xffa"), 400],
    ["a byte above 127 behind a Host", get("host: a\xff"), 400],
    ["a control character in a value", get("host: a", "x: a\x01b"), 400],
    ["a bare CR in a value", get("host: a", "x: a\rb"), 400],
    ["a coding that only looks like chunked", get("host: a", "transfer-encoding: xchunked"), 501],
    ["a space before the colon", get("host: a", "x : 1"), 400],
    ["a folded header", get("host: a", "x: 1\r\n 2"), 400],
    ["a NUL in a value", get("host: a", "x: \0"), 400],
    ["too many headers", get("host: a", ...many), 431],
    ["a head that is too large", get("host: a", `x: ${"y".repeat(17_000)}`), 431],
    ["garbage", "\x16\x03\x01\x02\x00\r\n\r\n", 400],
  ])("%s", async (_claim, text, status) => {
    await using listener = await startListener();
    const answer = await exchangeRaw(listener.port, text);
    const [head = "", body] = answer.split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\w ]+\\r\\nserver: sluice\\r\\n`));
    expect(head).toMatch(dateLine);
    expect(head).toContain("\r\ncontent-length: 0\r\nconnection: close");
    expect(body).toBe("");
    expect(listener.handler.exchanges).toEqual([]);
    expect(listener.refused).toHaveLength(1);
  });

  test("a head that does not end in time gets 408, a silent connection nothing", async () => {
    await using listener = await startListener({ limits: { requestHeadTimeoutMs: 50 } });
    expect(await exchangeRaw(listener.port, "GET / HTTP/1.1\r\n")).toMatch(/^HTTP\/1\.1 408 /);
    expect(await exchangeRaw(listener.port, "")).toBe("");
    expect(listener.refused).toEqual(["head_timeout"]);
  });
});

describe("a response", () => {
  test("has its headers as given, a date, a length and nothing else", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) =>
      respond(exchange, 201, "body", ["x-a", "1", "set-cookie", "a", "set-cookie", "b", "x-latin", "\xe9"]);
    const socket = await openTcp(listener.port);
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    const received = await readUntil(socket, "body");
    expect(received.replace(dateLine, "date: now")).toBe(
      "HTTP/1.1 201 Created\r\nx-a: 1\r\nset-cookie: a\r\nset-cookie: b\r\nx-latin: \xe9\r\ndate: now\r\ncontent-length: 4\r\n\r\nbody",
    );
    socket.destroy();
  });

  test("keeps the date of the upstream", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => respond(exchange, 200, "", ["date", "then"]);
    const answer = await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(answer).toBe("HTTP/1.1 200 OK\r\ndate: then\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });

  test.each([
    ["HEAD", 200, 5, "content-length: 5\r\n"],
    ["HEAD", 200, -1, ""],
    ["GET", 204, 0, ""],
    ["GET", 304, 7, "content-length: 7\r\n"],
  ])("to %s with status %i has no body and announces %i bytes with %j", async (method, status, bodyLength, line) => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => {
      exchange.sendHead(status, ["date", "d"], bodyLength);
      exchange.sendEnd();
    };
    const answer = await exchangeRaw(listener.port, `${method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    expect(answer.slice(answer.indexOf("\r\n") + 2)).toBe(`date: d\r\n${line}connection: close\r\n\r\n`);
  });

  test("of unknown length is chunked, and its chunks may be overwritten when sendData returns", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => {
      const chunk = Buffer.from("one");
      exchange.sendHead(200, ["date", "d"], -1);
      exchange.sendData(chunk);
      chunk.fill("X");
      exchange.sendData(Buffer.from("two"));
      exchange.sendEnd();
    };
    const answer = await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(answer).toBe(
      "HTTP/1.1 200 OK\r\ndate: d\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
    );
  });

  test("leaves when it is flushed, and interim responses before it", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => {
      exchange.sendInformational(103, ["link", "</a>"]);
      exchange.sendHead(200, [], 5);
      exchange.flush();
    };
    const socket = await openTcp(listener.port);
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    const received = await readUntil(socket, "content-length: 5\r\n\r\n");
    expect(received).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    socket.destroy();
  });

  test("that is reset cuts the connection", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => {
      exchange.sendHead(200, [], 100);
      exchange.sendData(Buffer.from("part"));
      exchange.flush();
      setImmediate(() => exchange.reset());
    };
    const answer = await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(answer).toMatch(/part$/);
  });

  test("with a header Node refuses is reset, and the process lives", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => respond(exchange, 200, "", ["x", "a\nb"]);
    expect(await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).toBe("");
  });

  test("that closes the connection reaches a client that is still sending", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => {
      exchange.closesConnection = true;
      respond(exchange, 413);
    };
    const socket = await openTcp(listener.port);
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50000000\r\n\r\n");
    let sent = 0;
    const send = (): void => {
      while (sent < 20_000_000 && !socket.destroyed && socket.writable) {
        sent += 100_000;
        if (!socket.write(Buffer.alloc(100_000))) {
          socket.once("drain", send);
          return;
        }
      }
    };
    send();
    expect(await readUntil(socket, "\r\n\r\n")).toMatch(/^HTTP\/1\.1 413 /);
    await closed(socket);
  });
});

describe("Expect: 100-continue", () => {
  const text = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";

  test("is answered before the body is read", async () => {
    await using listener = await startListener();
    const { handler } = listener;
    handler.answer = () => undefined;
    const socket = await openTcp(listener.port);
    socket.write(text);
    expect(await readUntil(socket, "\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    const end = once(handler.events, "end");
    socket.write("body");
    await end;
    respond(handler.exchanges[0] as Exchange, 200, "done");
    expect(await readUntil(socket, "done")).toMatch(/^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  test("is not said when the answer is known, and the connection closes", async () => {
    await using listener = await startListener();
    listener.handler.answer = (exchange) => respond(exchange, 404);
    const answer = await exchangeRaw(listener.port, text);
    expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\n[^]*connection: close\r\n\r\n$/);
  });
});

describe("flow control", () => {
  test("a paused upload stops the client, resumed it arrives whole", async () => {
    await using listener = await startListener();
    const { handler } = listener;
    const size = 32 * 1024 * 1024;
    handler.answer = (exchange) => exchange.pauseBody();
    const socket = await openTcp(listener.port);
    socket.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`);
    const written = new Promise((resolve) => socket.write(Buffer.alloc(size, "x"), resolve));
    while (handler.exchanges.length === 0) await new Promise(setImmediate);
    const [exchange] = handler.exchanges as [Exchange];
    await quiet(() => socket.bytesWritten);
    expect(exchange.bytesReceived).toBe(0);
    const end = once(handler.events, "end");
    exchange.resumeBody();
    await Promise.all([end, written]);
    expect(exchange.bytesReceived).toBe(size);
    socket.destroy();
  });

  test("sendData says stop to a client that does not read, and drain says go", async () => {
    await using listener = await startListener();
    const { handler } = listener;
    const chunk = Buffer.alloc(65_536, "y");
    const total = 512;
    let sent = 0;
    let stops = 0;
    const pump = (exchange: Exchange): void => {
      while (sent < total) {
        sent++;
        if (!exchange.sendData(chunk)) {
          stops++;
          return;
        }
      }
      exchange.sendEnd();
    };
    handler.events.on("drain", pump);
    handler.answer = (exchange) => {
      exchange.sendHead(200, [], total * chunk.length);
      pump(exchange);
    };
    const socket = await openTcp(listener.port);
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    await quiet(() => sent);
    expect(sent).toBeLessThan(total);
    let received = 0;
    socket.on("data", (data) => (received += data.length)).resume();
    await closed(socket);
    expect(received).toBeGreaterThan(total * chunk.length);
    expect(stops).toBeGreaterThan(1);
  });
});

describe("a client that goes away", () => {
  test.each([
    ["while the response is awaited", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"],
    ["in the middle of its body", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nbo"],
  ])("%s is told once", async (_claim, text) => {
    await using listener = await startListener();
    const { handler } = listener;
    let aborts = 0;
    handler.events.on("abort", () => aborts++);
    handler.answer = () => undefined;
    const socket = await openTcp(listener.port);
    socket.write(text);
    while (handler.exchanges.length === 0) await new Promise(setImmediate);
    socket.destroy();
    await listener.bound.drain();
    expect(aborts).toBe(1);
    const [exchange] = handler.exchanges as [Exchange];
    exchange.sendHead(200, [], 0);
    exchange.sendEnd();
    expect(aborts).toBe(1);
  });

  test("a body that breaks off in garbage is told as well and answered with 400", async () => {
    await using listener = await startListener();
    const { handler } = listener;
    handler.answer = () => undefined;
    const abort = once(handler.events, "abort");
    const text = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    expect(await exchangeRaw(listener.port, text)).toMatch(/^HTTP\/1\.1 400 /);
    await abort;
  });
});

describe("draining", () => {
  test("closes idle connections, finishes what is under way, and says that the connection closes", async () => {
    await using listener = await startListener();
    const { handler, bound } = listener;
    const idle = await openTcp(listener.port);
    idle.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await readUntil(idle, "hello");
    const fresh = await openTcp(listener.port);
    handler.answer = () => undefined;
    const busy = await openTcp(listener.port);
    busy.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    while (handler.exchanges.length < 2) await new Promise(setImmediate);

    const drained = bound.drain();
    await Promise.all([closed(idle), closed(fresh)]);
    respond(handler.exchanges[1] as Exchange, 200, "late");
    expect(await readUntil(busy, "late")).toContain("connection: close");
    await drained;
    expect(listener.connections).toEqual({ opened: 3, closed: 3 });
  });

  test("a response whose head is out still ends before the connection closes", async () => {
    await using listener = await startListener();
    const { handler, bound } = listener;
    handler.answer = (exchange) => {
      exchange.sendHead(200, [], -1);
      exchange.flush();
    };
    const socket = await openTcp(listener.port);
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await readUntil(socket, "\r\n\r\n");
    const drained = bound.drain();
    const [exchange] = handler.exchanges as [Exchange];
    exchange.sendData(Buffer.from("rest"));
    exchange.sendEnd();
    await readUntil(socket, "0\r\n\r\n");
    await drained;
  });

  test("abort ends what is under way", async () => {
    await using listener = await startListener();
    listener.handler.answer = () => undefined;
    const abort = once(listener.handler.events, "abort");
    const socket = await openTcp(listener.port);
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    while (listener.handler.exchanges.length === 0) await new Promise(setImmediate);
    const drained = listener.bound.drain();
    listener.bound.abort();
    await Promise.all([drained, abort]);
  });
});

describe("a client that sends requests without end is not read any further", () => {
  const padding = "x".repeat(8000);
  const request = Buffer.from(`GET / HTTP/1.1\r\nhost: a\r\nx-padding: ${padding}\r\n\r\n`);
  const totalBytes = 64 * 1024 * 1024;

  const cases: [string, (exchange: Exchange) => void][] = [
    ["while its first one is not answered", () => undefined],
    ["while it does not take its answers", (exchange) => respond(exchange, 200, padding)],
  ];

  test.each(cases)("%s", async (_name, answer) => {
    await using listener = await startListener();
    listener.handler.answer = answer;
    const socket = await openTcp(listener.port);
    const many = Buffer.concat(Array<Buffer>(16).fill(request));
    for (let sent = 0; sent < totalBytes; sent += many.length) socket.write(many);
    const taken = (): number => socket.bytesWritten - socket.writableLength;
    await quiet(taken);
    expect(taken()).toBeLessThan(totalBytes / 2);
    // Whoever reads is served on.
    if (listener.handler.exchanges.length > 1) {
      socket.resume();
      await expect
        .poll(() => listener.handler.exchanges.length, { timeout: 20_000 })
        .toBeGreaterThan(totalBytes / request.length - 1);
    }
    socket.destroy();
  });
});

test("an idle connection closes after its time", async () => {
  await using listener = await startListener({ limits: { idleTimeoutMs: 50 } });
  expect(await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).toContain("hello");
});

test("an answered request whose body does not come to its end is an idle connection", async () => {
  await using listener = await startListener({ limits: { idleTimeoutMs: 50 } });
  const request = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhello";
  expect(await exchangeRaw(listener.port, request)).toContain("hello");
});

test("a port in use is said so", async () => {
  await using listener = await startListener();
  const { bindNode } = await import("../../src/listen/node/listener.ts");
  const spec = { listener: { name: "x", filterChains: [] }, bindAddress: "127.0.0.1", bindPort: listener.port };
  const context = { limits: { requestHeadTimeoutMs: 1000 } };
  await expect(bindNode(spec as never, context as never)).rejects.toMatchObject({
    name: "BindError",
    code: "EADDRINUSE",
  });
});

/** Resolves when the number no longer grows. */
async function quiet(read: () => number): Promise<void> {
  for (let last = -1, same = 0; same < 20;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}
