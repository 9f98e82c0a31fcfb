// What a request costs a worker in memory, counted in the worker itself, on each way that a request can come.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, service, virtualService } from "../support/config.ts";
import { isUwsAvailable } from "../support/engines.ts";
import { expectWithin } from "./budgets.ts";
import { type Probe, type ProbedGateway, probedGateway } from "./probed-gateway.ts";
import { http1Client, http2Client, type SequentialClient } from "./sequential-client.ts";

const host = "app.example";
const body = '{"ok":true,"message":"hello"}';
/** What a small service answers, in one piece: a backend of Node's own would be slower and no more real. */
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nServer: backend\r\nDate: Mon, 23 Nov 2026 14:47:39 GMT\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\nCache-Control: no-store\r\nX-Powered-By: backend\r\n\r\n${body}`,
);

/** Until V8 has compiled and optimised what there is to optimise. */
const warmUpRequests = 4000;
const windows = 10;
/** As many as leave no garbage collection in a window: one would take away what is to be counted. */
const requestsPerWindow = 250;

let backend: Server;
let world: ProbedGateway;
beforeAll(async () => {
  backend = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(answer));
  }).listen(0, "127.0.0.1");
  await once(backend, "listening");
  const { port } = backend.address() as AddressInfo;
  const onNode = { "sluice.dev/engine": "node" };
  const config = documents(
    gatewayResource("auto", [httpServer([host])]),
    gatewayResource("node", [httpServer([host], { port: 81 })], onNode),
    virtualService("app", { hosts: [host], gateways: ["auto", "node"], destination: "app", prefixes: ["/api"] }),
    ...service("app", port),
  );
  world = await probedGateway({
    config: { "app.yaml": config },
    ports: [80, 81],
    edge: { codec: "own", accessLog: { path: "off" } },
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  backend.close();
});

/** Bytes a request, in the heap and beside it, over windows in which nothing was collected. */
async function countAllocations(probe: Probe, client: SequentialClient): Promise<{ heap: number; buffers: number }> {
  await client.run(warmUpRequests);
  const heap: number[] = [];
  const buffers: number[] = [];
  for (let i = 0; i < windows; i++) {
    // One window after the other.
    const window = await countWindow(probe, client);
    if (window.collections > 0) continue;
    heap.push(window.heapBytes / requestsPerWindow);
    buffers.push(window.bufferBytes / requestsPerWindow);
  }
  if (heap.length < windows / 2) throw new Error("garbage was collected in most windows: make them shorter");
  // What else a process does now and then only adds to the heap: the least is the requests' own. Pools of buffers are refilled now and then.
  return { heap: Math.min(...heap), buffers: medianOf(buffers) };
}

async function countWindow(
  probe: Probe,
  client: SequentialClient,
): Promise<{ heapBytes: number; bufferBytes: number; collections: number }> {
  const before = await probe.ask("begin");
  await client.run(requestsPerWindow);
  const after = await probe.ask("end");
  return {
    heapBytes: after.heapBytes - before.heapBytes,
    bufferBytes: after.bufferBytes - before.bufferBytes,
    collections: after.collections,
  };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

test.skipIf(!isUwsAvailable)("a request on uWebSockets.js", async () => {
  expect(world.gateway.engine(80)).toBe("uws");
  using client = await http1Client(world.gateway.port(80), host, body);
  const { heap, buffers } = await countAllocations(world.probes.worker, client);
  expectWithin("uws-http1-heap", heap);
  expectWithin("uws-http1-buffers", buffers);
});

test("a request over HTTP/1.1 on Sluice's own codec", async () => {
  using client = await http1Client(world.gateway.port(81), host, body);
  const { heap, buffers } = await countAllocations(world.probes.worker, client);
  expectWithin("own-http1-heap", heap);
  expectWithin("own-http1-buffers", buffers);
});

test("a request over HTTP/2 on Sluice's own codec", async () => {
  using client = http2Client(world.gateway.port(81), host);
  const { heap, buffers } = await countAllocations(world.probes.worker, client);
  expectWithin("own-http2-heap", heap);
  expectWithin("own-http2-buffers", buffers);
});
