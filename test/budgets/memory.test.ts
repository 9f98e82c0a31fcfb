// What a configuration costs a worker in memory: ten thousand hosts, ten thousand routes of one host, and what each further one adds.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, test } from "vitest";
import { curl } from "../support/curl.ts";
import { expectWithin } from "./budgets.ts";
import { siteOfHosts, siteOfRoutes } from "./large-site.ts";
import { type ProbedGateway, probedGateway } from "./probed-gateway.ts";

const count = 10_000;

let world: ProbedGateway;
let heapOfManyHosts = 0;
let residentBytes = 0;
let heapOfOneRoute = 0;
beforeAll(async () => {
  world = await probedGateway({ config: siteOfHosts(count), ports: [80], edge: { accessLog: { path: "off" } } });
  heapOfManyHosts = await liveHeapBytes();
  // Behind a collection: whether V8 has happened to make one since the table came is up to 20 MiB more or less.
  residentBytes = residentBytesOf(world.probes.worker.pid);
  await world.gateway.reload(siteOfRoutes(1));
  heapOfOneRoute = await liveHeapBytes();
});
afterAll(() => world[Symbol.asyncDispose]());

async function liveHeapBytes(): Promise<number> {
  return (await world.probes.worker.ask("live")).heapBytes;
}

function residentBytesOf(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

/** What each route beyond the first adds to the heap. */
function aFurther(heapBytes: number): number {
  return (heapBytes - heapOfOneRoute) / (count - 1);
}

test.skipIf(process.platform !== "linux")("a worker that serves 10,000 hosts", () => {
  expectWithin("many-hosts-resident", residentBytes / 1_048_576);
});

test("a further host of one route", () => {
  expectWithin("further-host-heap", aFurther(heapOfManyHosts));
});

test("a further route of a host, before and behind the host's first request", async () => {
  await world.gateway.reload(siteOfRoutes(count));
  expectWithin("further-route-heap", aFurther(await liveHeapBytes()));
  // No route takes it, so nothing is connected; but the host's routes are made ready.
  await curl("-H", "Host: app.example", world.gateway.url(80, "/none"));
  expectWithin("further-asked-route-heap", aFurther(await liveHeapBytes()));
});
