import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, get } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { startHttpbin } from "../src/index.ts";
import { patternPeriodBytes } from "../src/pattern.ts";
import { Recorder } from "../src/recorder.ts";
import { answerBytes } from "../src/routes/stream.ts";
import { sendRaw } from "./raw-client.ts";

test("requests records what arrived, newest last, with the header case as sent", async () => {
  await using backend = await startHttpbin();
  await fetch(`${backend.url}/status/200`);
  await sendRaw(
    backend.port,
    "PUT /upload?x=1 HTTP/1.1",
    "Host: A.example",
    "X-MiXed: 1",
    "content-length: 0",
    "connection: close",
  );
  expect(backend.requests.map(({ url }) => url)).toEqual(["/status/200", "/upload?x=1"]);
  expect(backend.requests.at(-1)).toEqual({
    method: "PUT",
    url: "/upload?x=1",
    rawHeaders: ["Host", "A.example", "X-MiXed", "1", "content-length", "0", "connection", "close"],
    bodyBytes: 0,
    httpVersion: "1.1",
    localPort: backend.port,
  });
});

test("the recording keeps the last thousand requests", async () => {
  await using backend = await startHttpbin();
  // One write, then the whole answers in order: a thousand round trips would say no more.
  const pipelined = Array.from({ length: 1004 }, (_, index) => `GET /status/204?${index} HTTP/1.1\r\nhost: a\r\n`);
  await sendRaw(backend.port, ...pipelined, "GET /status/200 HTTP/1.1", "host: a", "connection: close");
  expect(backend.requests).toHaveLength(1000);
  expect(backend.requests[0]?.url).toBe("/status/204?5");
  expect(backend.requests.at(-1)?.url).toBe("/status/200");
});

test("connections are kept alive and counted", async () => {
  await using backend = await startHttpbin();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let round = 0; round < 3; round++) {
    const [answer] = (await once(get(`${backend.url}/headers`, { agent }), "response")) as [IncomingMessage];
    expect(answer.headers["keep-alive"]).toBe("timeout=75");
    await once(answer.resume(), "end");
  }
  expect([backend.connections, backend.acceptedConnections]).toEqual([1, 1]);
  agent.destroy();
});

test("the WebSocket echoes text as text and binary as binary, and the upgrade is recorded", async () => {
  await using backend = await startHttpbin();
  const client = new WebSocket(`ws://127.0.0.1:${backend.port}/ws`, "chat");
  await once(client, "open");
  expect(client.protocol).toBe("chat");
  client.send("text");
  expect(await once(client, "message")).toEqual([Buffer.from("text"), false]);
  const large = Buffer.alloc(1_000_000, 7);
  client.send(large);
  const [echoed, isBinary] = (await once(client, "message")) as [Buffer, boolean];
  expect([echoed.equals(large), isBinary]).toEqual([true, true]);
  expect(backend.requests.at(-1)?.url).toBe("/ws");
  client.close(1000);
  await once(client, "close");
});

test("an upgrade anywhere else is refused with 404", async () => {
  await using backend = await startHttpbin();
  const head = ["GET /headers HTTP/1.1", "host: a", "connection: upgrade", "upgrade: websocket"];
  const { text } = await sendRaw(backend.port, ...head);
  expect(text).toMatch(/^HTTP\/1\.1 404 /);
});

test("close ends waiting requests and WebSockets, frees the port, and may be called twice", async () => {
  const backend = await startHttpbin();
  const client = new WebSocket(`ws://127.0.0.1:${backend.port}/ws`);
  await once(client, "open");
  const waiting = get(`${backend.url}/delay/10`);
  const failed = once(waiting, "error");
  const streaming = get(`${backend.url}/sse?intervalMs=60000`);
  await once(streaming, "response");
  streaming.on("error", () => {});
  const left = once(client, "close");
  await backend.close();
  await backend.close();
  expect(await left).toMatchObject([1006, expect.anything()]);
  await failed;
  await using successor = await startHttpbin({ port: backend.port });
  expect(successor.port).toBe(backend.port);
});

test("a taken port is an error, not a hang", async () => {
  await using backend = await startHttpbin();
  await expect(startHttpbin({ port: backend.port })).rejects.toThrow("EADDRINUSE");
});

test("a client that stops reading holds up the answer instead of filling memory", async () => {
  let serverSide: ServerResponse | undefined;
  const server = createServer((request, response) => {
    serverSide = response;
    const record = new Recorder(1).record(request);
    const exchange = { request, response, record, path: "", query: new URLSearchParams(), backendName: "" };
    void answerBytes(exchange, "2147483648");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const [answer] = (await once(get({ port, host: "127.0.0.1" }), "response")) as [IncomingMessage];
  // Without waiting for "drain" all 2 GiB would be queued before the first event.
  expect(serverSide?.writableLength).toBeLessThanOrEqual(2 * patternPeriodBytes);
  answer.destroy();
  await once(server.close(), "close");
});

const command = fileURLToPath(new URL("../bin/sluice-httpbin.js", import.meta.url));

test("the command prints one line of JSON when ready and ends on SIGTERM", async () => {
  const child = spawn(process.execPath, [command, "--port", "0", "--name", "b"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  const ready = JSON.parse(line) as { url: string; port: number };
  expect(ready).toMatchObject({ event: "ready", name: "b", pid: child.pid, url: `http://127.0.0.1:${ready.port}` });
  expect(await (await fetch(`${ready.url}/get`)).json()).toMatchObject({ name: "b" });
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test.each([["--port", "http"], ["--port", "65536"], ["--colour"], ["stray"]])(
  "the command refuses %s %s",
  async (...argv) => {
    const child = spawn(process.execPath, [command, ...argv], { stdio: ["ignore", "ignore", "pipe"] });
    expect((await once(child, "exit"))[0]).toBe(2);
  },
);

test("the command explains itself with --help", async () => {
  const child = spawn(process.execPath, [command, "--help"], { stdio: ["ignore", "pipe", "inherit"] });
  const [text] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  expect(text).toContain("--port");
  expect(await once(child, "exit")).toEqual([0, null]);
});
