// A worker's whole path for raw connections: a table over the wire, prepared and committed, bytes forwarded, counted.
import { createServer } from "node:net";
import { type Listener, type Table } from "@sluice/core/model";
import { defaultSettings } from "@sluice/core/settings";
import { encodeTable } from "@sluice/core/wire";
import { expect, test } from "vitest";
import { Worker } from "../../src/worker/worker.ts";
import { openTcp, readUntil } from "../listen-node/support.ts";
import { clusterTo, forwardChain, Upstream } from "../network/world.ts";

const settings = defaultSettings();
const nodeOnly = {
  ...settings,
  edge: { ...settings.edge, engine: "node" as const, accessLog: { path: "off", format: "text" as const } },
};

function tableOf(upstream: { readonly port: number }): Table {
  const cluster = clusterTo(upstream, { sendsProxyProtocol: "V1" });
  const listener: Listener = {
    name: "0.0.0.0_9000",
    address: "0.0.0.0",
    port: 9000,
    declaredPort: 9000,
    transport: "tcp",
    acceptsProxyProtocol: true,
    engine: "node",
    engineReason: "test",
    filterChains: [forwardChain([cluster])],
  };
  return { listeners: [listener], routeConfigs: [], clusters: [cluster], secrets: [] };
}

async function serve(worker: Worker, table: Table, port: number): Promise<number> {
  const { version, manifest, resources } = encodeTable(table);
  const bindings = { "0.0.0.0_9000": { address: "127.0.0.1", port } };
  const put = manifest.map((entry) => [entry, resources.get(entry.digest) ?? new Uint8Array()] as const);
  worker.stage({ type: "stage", version, base: null, resources: put });
  worker.prepare({ type: "prepare", version, remove: [], bindings });
  const [report] = await worker.commit(version);
  return report?.boundPort ?? 0;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

test("a table with a TCP listener is served, swapped and drained", async () => {
  await using first = await Upstream.listen();
  await using second = await Upstream.listen();
  const worker = new Worker(nodeOnly, new Uint8Array(32), () => undefined);
  const port = await serve(worker, tableOf(first), await freePort());
  const header = "PROXY TCP4 203.0.113.9 198.51.100.1 40000 9000\r\n";
  const old = await openTcp(port);
  old.write(`${header}hello`);
  const server = await first.socket();
  expect(await readUntil(server, "hello")).toBe(`${header}hello`);

  expect(await serve(worker, tableOf(second), port)).toBe(port);
  const fresh = await openTcp(port);
  fresh.write(`${header}hello`);
  await readUntil(await second.socket(), "hello");
  server.write("still yours");
  expect(await readUntil(old, "yours")).toBe("still yours");

  const drained = worker.drain();
  for (const socket of [...first.sockets, ...second.sockets]) socket.end();
  for (const socket of [old, fresh]) socket.resume().end();
  await drained;
  const metrics = worker.metrics(1);
  const valueOf = (name: string) => metrics.find((metric) => metric.name === name)?.values[0]?.value;
  expect(valueOf("istio_tcp_connections_opened_total")).toBe(2);
  expect(valueOf("istio_tcp_received_bytes_total")).toBe(10);
  expect(valueOf("sluice_tcp_connections")).toBe(0);
});

test.each([
  ["neither routes nor a destination", { forward: null }],
  ["both routes and a destination", { routeConfig: "http.80" }],
])("a chain with %s refuses the table", async (_what, fields) => {
  const worker = new Worker(nodeOnly, new Uint8Array(32), () => undefined);
  const table = tableOf({ port: 1 });
  const filterChains = [forwardChain([...table.clusters], fields)];
  const broken = { ...table, listeners: table.listeners.map((listener) => ({ ...listener, filterChains })) };
  await expect(serve(worker, broken, 0)).rejects.toThrow("either routes or a destination for raw bytes");
  worker.close();
});
