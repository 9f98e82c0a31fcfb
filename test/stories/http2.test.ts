// HTTP/2 without TLS as its clients speak it: nghttp, h2load, curl with prior knowledge, and node:http2 where the wire matters.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { connect } from "node:http2";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import type { Gateway } from "../support/gateway.ts";
import { hasH2load, readH2load } from "../support/load.ts";
import { host, protocolWorld } from "../support/protocol-world.ts";
import { startScriptedBackend } from "../support/scripted-backend.ts";

const run = promisify(execFile);
const lane = engineLanes.find(({ expected, edge }) => expected === "node" && edge["engine"] === "node");
if (lane === undefined) throw new Error("no engine");

const httpbin = await startHttpbin();
const early = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
const silent = await startScriptedBackend({ "/silent": () => {}, "/early": (socket) => socket.end(early) });
let world: Gateway;
beforeAll(async () => {
  world = await protocolWorld(lane, {
    bytes: httpbin.port,
    upload: httpbin.port,
    silent: silent.port,
    early: silent.port,
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await Promise.all([httpbin.close(), silent.close()]);
});

test("curl speaks it with prior knowledge, both ways", async () => {
  const down = await curl("--http2-prior-knowledge", "-H", `Host: ${host}`, world.url(80, "/bytes/70000"));
  expect(down.status).toBe(200);
  expect(down.headers["server"]).toBe("sluice");
});

// curl 7.88 fails on an answer that a reset follows in the same read, as it did for one upload in eight.
test("an answer before the end of a small upload is an answer, every time", async () => {
  const upload = (): ReturnType<typeof curl> =>
    curl("--http2-prior-knowledge", "-H", `Host: ${host}`, "-d", "x".repeat(1000), world.url(80, "/early"));
  for (let i = 0; i < 40; i++) {
    // One after the other: it depends on which of answer and body is first.
    // eslint-disable-next-line no-await-in-loop
    expect((await upload()).status).toBe(200);
  }
});

test.skipIf(!hasH2load)("h2load ends with every request answered", async () => {
  const { stdout } = await run("h2load", [
    "-t1",
    "-c4",
    "-m20",
    "-n2000",
    `--connect-to=127.0.0.1:${world.port(80)}`,
    `http://${host}/bytes/100`,
  ]);
  expect(readH2load(stdout)).toMatchObject({ requests: 2000, failedRequests: 0 });
});

// nghttp comes with h2load.
test.skipIf(!hasH2load)("nghttp downloads and uploads", async () => {
  const ask = (path: string, ...args: readonly string[]) =>
    run("nghttp", ["-v", ...args, "-H", `:authority: ${host}`, `http://127.0.0.1:${world.port(80)}${path}`]);
  expect((await ask("/bytes/10")).stdout).toMatch(/:status: 200/);
  const body = fileURLToPath(import.meta.url);
  const { stdout } = await ask("/upload", "-d", body);
  expect(stdout).toMatch(/:status: 200/);
  expect(stdout).toMatch(new RegExp(`"bytes": ?${statSync(body).size}\\b`));
});

test("a reset of one stream leaves the others alone and lets the upstream go", async () => {
  const client = connect(`http://127.0.0.1:${world.port(80)}`);
  const stuck = client.request({ ":path": "/silent", ":authority": host });
  stuck.on("error", () => undefined);
  const other = client.request({ ":path": "/bytes/100000", ":authority": host });
  stuck.close(8);
  other.resume();
  const [head] = await once(other, "response");
  expect(head[":status"]).toBe(200);
  await once(other, "end");
  client.destroy();
});

test("a drain says GOAWAY, answers what is under way and closes", async () => {
  await using draining = await protocolWorld(lane, { bytes: httpbin.port });
  const client = connect(`http://127.0.0.1:${draining.port(80)}`);
  const first = client.request({ ":path": "/bytes/5000000", ":authority": host });
  const [head] = await once(first, "response");
  expect(head[":status"]).toBe(200);
  const goaway = once(client, "goaway");
  const closed = once(client, "close");
  draining.edge.process.kill("SIGTERM");
  const [code] = await goaway;
  expect(code).toBe(0);
  let received = 0;
  first.on("data", (chunk: Buffer) => (received += chunk.length));
  await once(first, "end");
  expect(received).toBe(5_000_000);
  await closed;
});
