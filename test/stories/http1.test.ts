// HTTP/1.1 as odd clients speak it, on both engines; where the engines differ the table says so.
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import type { Gateway } from "../support/gateway.ts";
import { host, protocolWorld } from "../support/protocol-world.ts";
import { clear, statusesIn, talk } from "../support/raw-socket.ts";
import { type Script, startScriptedBackend } from "../support/scripted-backend.ts";

const says =
  (bytes: string): Script =>
  (socket) =>
    socket.write(bytes, "latin1");

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const backend = await startScriptedBackend({
  "/b/ok": says(ok),
  "/b/hints": says(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}`),
  "/b/values": says("HTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\nx-latin: caf\xe9\r\ncontent-length: 2\r\n\r\nok"),
  "/b/no-content": says("HTTP/1.1 204 No Content\r\n\r\n"),
  "/b/not-modified": says("HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"),
  "/b/head": says("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"),
  "*": says("HTTP/1.1 204 No Content\r\nallow: GET\r\n\r\n"),
});
const httpbin = await startHttpbin();
afterAll(() => Promise.all([backend.close(), httpbin.close()]));

const request = (line: string, ...fields: readonly string[]): string =>
  [`${line} HTTP/1.1`, `host: ${host}`, ...fields, "", ""].join("\r\n");

describe.each(engineLanes)("$name:", (lane) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await protocolWorld(lane, { b: backend.port, upload: httpbin.port });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  const isUws = lane.expected === "uws";

  const ask = async (text: string, until: (all: string) => boolean): Promise<string> =>
    (await talk(clear(world.port(80)), text, { until })).text;

  // uWebSockets.js closes a connection that has a second request ready before the first is answered (docs/adr/0001).
  test.skipIf(isUws)("pipelined requests are answered in order", async () => {
    const text = await ask(
      request("GET /b/ok?1") + request("GET /b/no-content") + request("GET /b/ok?3", "connection: close"),
      (all) => statusesIn(all).length === 3 && all.endsWith("ok"),
    );
    expect(statusesIn(text)).toEqual([200, 204, 200]);
  });

  test.skipIf(isUws)("HEAD, 204 and 304 have no body, and what is pipelined behind them is answered", async () => {
    const text = await ask(
      request("HEAD /b/head") + request("GET /b/no-content") + request("GET /b/not-modified") + request("GET /b/ok"),
      (all) => all.endsWith("ok"),
    );
    expect(statusesIn(text)).toEqual([200, 204, 304, 200]);
    expect(text.toLowerCase()).toContain("content-length: 1000\r\n");
  });

  test("a client that pipelines is answered or closed, never answered wrongly", async () => {
    const { text, end } = await talk(
      clear(world.port(80)),
      request("GET /b/ok?1") + request("GET /b/no-content", "connection: close"),
    );
    expect(statusesIn(text)).toEqual(isUws ? [] : [200, 204]);
    expect(end).not.toBe("timeout");
  });

  test("HEAD, 204 and 304 one after the other on one connection", async () => {
    const args = ["-H", `Host: ${host}`];
    const urls = ["no-content", "not-modified", "ok"].map((path) => world.url(80, `/b/${path}`));
    expect((await curl(...args, ...urls)).status).toBe(200);
    const { headers } = await curl("-I", ...args, world.url(80, "/b/head"));
    expect(headers["content-length"] ?? headers["Content-Length"]).toBe("1000");
  });

  test("repeated and non-ASCII header values pass untouched, both ways", async () => {
    const text = await ask(
      request("GET /b/values", "x-b: 1", "x-b: 2", isUws ? "x-latin: caf\xc3\xa9s" : "x-latin: caf\xc3\xa9s \xe9"),
      (all) => all.endsWith("ok"),
    );
    expect(text).toMatch(/x-a: 1\r\nx-a: 2\r\nx-latin: caf\xe9\r\n/);
    expect(backend.received.join("")).toMatch(/x-b: 1\r\nx-b: 2\r\nx-latin: caf\xc3\xa9s/);
  });

  // Chunk extensions and trailers are beyond uWebSockets.js (docs/adr/0001).
  test.skipIf(isUws)("a chunked body with extensions and trailers reaches the backend as one body", async () => {
    const text = await ask(
      `${request("POST /upload", "transfer-encoding: chunked")}5;a=b\r\nhello\r\n3;c="d"\r\n123\r\n0\r\nx-sum: 1\r\n\r\n`,
      (all) => all.includes('"bytes"'),
    );
    expect(text).toMatch(/"bytes": ?8\b/);
  });

  test("curl's upload waits for 100 Continue and gets it", async () => {
    const body = "x".repeat(10);
    const result = await curl(
      "-H",
      "Expect: 100-continue",
      "-H",
      `Host: ${host}`,
      "-d",
      body,
      world.url(80, "/upload"),
    );
    expect(result.status).toBe(200);
  });

  test("103 Early Hints passes", async () => {
    const text = await ask(request("GET /b/hints"), (all) => all.endsWith("ok"));
    expect(statusesIn(text)).toEqual(isUws ? [200] : [103, 200]);
  });

  test("a target in absolute form names the host, and OPTIONS * asks the server", async () => {
    const absolute = await ask(
      `GET http://${host}/b/ok HTTP/1.1\r\nhost: other.invalid\r\nconnection: close\r\n\r\n`,
      (all) => all.endsWith("ok") || all.includes("505"),
    );
    const asterisk = await ask(request("OPTIONS *"), (all) => all.includes("\r\n\r\n"));
    expect([statusesIn(absolute)[0], statusesIn(asterisk)[0]]).toEqual(isUws ? [505, 505] : [200, 204]);
  });

  test("HTTP/1.0 is refused and its connection closed", async () => {
    const { text, end } = await talk(clear(world.port(80)), `GET /b/ok HTTP/1.0\r\nhost: ${host}\r\n\r\n`);
    expect(statusesIn(text)[0]).toBe(isUws ? 505 : 426);
    expect(end).not.toBe("timeout");
  });

  test("an Upgrade to what Sluice does not carry is an ordinary request", async () => {
    const result = await curl("--http2", "-H", `Host: ${host}`, world.url(80, "/b/ok"));
    expect(result.status).toBe(200);
  });
});

test("with edge.http10 everything runs on node and HTTP/1.0 is answered", async () => {
  const [auto] = engineLanes;
  if (auto === undefined) throw new Error("no engine");
  await using world = await protocolWorld(auto, { b: backend.port }, { http10: true });
  expect(world.engine(80)).toBe("node");
  const result = await curl("--http1.0", "-H", `Host: ${host}`, world.url(80, "/b/ok"));
  expect(result.status).toBe(200);
});

test("limits of body and time have names", async () => {
  const node = engineLanes.find(({ expected }) => expected === "node");
  if (node === undefined) throw new Error("no engine");
  const limits = { maxBodyBytes: 5, requestTimeoutSeconds: 0.2 };
  const silent = await startScriptedBackend({ "/s": () => {} });
  await using world = await protocolWorld(node, { s: silent.port }, { limits });
  const long = await curl("-H", `Host: ${host}`, "-d", "123456", world.url(80, "/s"));
  expect(long.status).toBe(413);
  const slow = await curl("-H", `Host: ${host}`, world.url(80, "/s"));
  expect(slow.status).toBe(504);
  await silent.close();
});
