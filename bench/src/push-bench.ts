// `pnpm bench push`: what a change of the configuration costs while it holds 10 to 10,000 VirtualServices: from the call of the API to the
// first answer of the new route in every worker, bytes to the edge, the longest a worker did nothing else; and the time from start to ready.
import { cpus, loadavg } from "node:os";
import { printTable } from "./micro/measure.ts";
import { document, gatewayDocument, virtualService } from "./push-site.ts";
import { startWorld, type World } from "./push-world.ts";

const sizes = [10, 1000, 10_000];
const edits = Number(process.env["BENCH_ROUNDS"] ?? 50);
/** Edits that are not counted: the first ones compile with nothing remembered, in code that is not yet warm. */
const warmUp = 5;
/** Connections stay with the worker that took them. That all of so many are with one of two happens once in 32,768 times. */
const connections = 16;

export async function benchPush(): Promise<void> {
  const rows: (readonly string[])[] = [];
  for (const size of sizes) rows.push(await measure(size));
  const columns = [
    "VirtualServices",
    "ready from files ms",
    "first push of all ms",
    "one changed p50 ms",
    "p99 ms",
    "bytes to the edge",
    "longest worker pause ms",
  ];
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(" ");
  process.stdout.write(`${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores; node ${process.version}; `);
  process.stdout.write(`2 workers, ${edits} changes a row; load average ${load}\n\n`);
  printTable("From the call of the API to the effect in every worker", columns, rows);
}

async function measure(size: number): Promise<readonly string[]> {
  const readyMs = await timeToReady(size);
  await using world = await startWorld({ "gateway.json": JSON.stringify(gatewayDocument) });
  const firstMs = await pushAll(world, size);
  const clients = Array.from({ length: connections }, () => world.connect());
  const results: { readonly ms: number; readonly bytes: number }[] = [];
  for (let edit = 1; edit <= warmUp + edits; edit++) {
    const ms = await timeToEffect(world, clients, edit);
    if (edit === warmUp) await world.longestPauseMs();
    if (edit > warmUp) results.push({ ms, bytes: await world.lastCommitBytes() });
  }
  const pauseMs = await world.longestPauseMs();
  const times = results.map(({ ms }) => ms);
  const bytes = results.map((result) => result.bytes);
  const cells = [readyMs, firstMs, quantile(times, 0.5), quantile(times, 0.99), quantile(bytes, 0.5), pauseMs];
  process.stderr.write(`${size} VirtualServices: done\n`);
  return [size.toLocaleString("en"), ...cells.map((value) => value.toFixed(0))];
}

async function timeToReady(size: number): Promise<number> {
  const startedAt = performance.now();
  const text = [gatewayDocument, ...virtualServices(size)].map((each) => JSON.stringify(each)).join("\n---\n");
  await using world = await startWorld({ "site.yaml": text });
  const readyMs = performance.now() - startedAt;
  const answer = await world.connect().get(`shop-${size - 1}.example.com`);
  if (answer !== "0") throw new Error(`the last VirtualService answers ${JSON.stringify(answer)}`);
  return readyMs;
}

async function pushAll(world: World, size: number): Promise<number> {
  const startedAt = performance.now();
  await world.push("POST", "/v1/apply?wait=60", document(virtualServices(size)));
  return performance.now() - startedAt;
}

/** The push is answered when every worker has said that it serves the version; then every connection asks, and has to be answered by it. */
async function timeToEffect(
  world: World,
  clients: readonly { get(host: string): Promise<string> }[],
  generation: number,
): Promise<number> {
  const startedAt = performance.now();
  const name = "shop-0";
  await world.push("PUT", `/v1/resources/VirtualService/default/${name}?wait=60`, virtualService(0, generation));
  const answers = await Promise.all(clients.map((client) => client.get(`${name}.example.com`)));
  const elapsedMs = performance.now() - startedAt;
  const wrong = answers.find((answer) => answer !== String(generation));
  if (wrong !== undefined) throw new Error(`after change ${generation} a worker answers ${JSON.stringify(wrong)}`);
  return elapsedMs;
}

function virtualServices(size: number) {
  return Array.from({ length: size }, (_, index) => virtualService(index, 0));
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
