// What choosing an endpoint costs: every balancer among 10 and 1,000 endpoints, and what a ring or a Maglev table costs to make and to keep.
// Every choice is checked to be one of the endpoints, and those by hash to be always the same, before they are timed.
import type { Balancer } from "@sluice/core/model";
import { type BalancedRequest, type Choosable, EndpointChooser, MaglevTable, RingTable } from "@sluice/edge/balancing";
import { measure, type Measure, printMeasures, printTable } from "./measure.ts";

interface Contender {
  readonly name: string;
  readonly balancer: Balancer;
  readonly weightOf: (index: number) => number;
  readonly isWarming: boolean;
}

const counts = [10, 1000];
const even = () => 1;
const uneven = (index: number) => 1 + (index % 7);
const byHeader = { kind: "header", name: "x-user" } as const;

const contenders: readonly Contender[] = [
  { name: "least-request", balancer: { kind: "least-request" }, weightOf: even, isWarming: false },
  { name: "least-request, weights", balancer: { kind: "least-request" }, weightOf: uneven, isWarming: false },
  { name: "least-request, warming", balancer: { kind: "least-request" }, weightOf: even, isWarming: true },
  { name: "round-robin", balancer: { kind: "round-robin" }, weightOf: even, isWarming: false },
  { name: "round-robin, weights", balancer: { kind: "round-robin" }, weightOf: uneven, isWarming: false },
  { name: "random", balancer: { kind: "random" }, weightOf: even, isWarming: false },
  {
    name: "ring-hash by header",
    balancer: { kind: "ring-hash", key: byHeader, size: 1024 },
    weightOf: even,
    isWarming: false,
  },
  {
    name: "maglev by header",
    balancer: { kind: "maglev", key: byHeader, size: 65_537 },
    weightOf: even,
    isWarming: false,
  },
];

const request: BalancedRequest = {
  query: "",
  setCookie: "",
  downstream: { remoteAddress: "192.0.2.1", remotePort: 50_000, localAddress: "192.0.2.2", localPort: 443 },
  header: () => "b6fd1e2c-9c41-4a52-8d57-0f3f1c3a7e10",
};
const none: readonly Choosable[] = [];

function makeEndpoints(count: number, { isWarming, weightOf }: Contender): Choosable[] {
  return Array.from({ length: count }, (_, index) => ({
    address: `10.0.${index >> 8}.${index & 255}:8080`,
    activeRequests: index % 3,
    weight: weightOf(index),
    knownSinceMs: isWarming && index % 2 === 0 ? 0 : -Infinity,
    isEjected: false,
    priority: 0,
  }));
}

function makeChooser(endpoints: readonly Choosable[], { balancer, isWarming }: Contender): EndpointChooser<Choosable> {
  return new EndpointChooser(endpoints, {
    balancer,
    warmup: isWarming ? { durationMs: 60_000, minimumPercent: 10, aggression: 1 } : null,
    panicPercent: 0,
    random: Math.random,
    nowMs: () => 30_000,
  });
}

function assertChooses(
  chooser: EndpointChooser<Choosable>,
  endpoints: readonly Choosable[],
  { name, balancer }: Contender,
): void {
  const first = chooser.choose(request, none, none);
  if (first === null || !endpoints.includes(first)) throw new Error(`${name} chose nothing`);
  if ("key" in balancer && chooser.choose(request, none, none) !== first) throw new Error(`${name} changed its mind`);
}

async function timeChoices(): Promise<void> {
  const measures: Measure[] = [];
  for (const contender of contenders) {
    for (const count of counts) {
      const endpoints = makeEndpoints(count, contender);
      const chooser = makeChooser(endpoints, contender);
      assertChooses(chooser, endpoints, contender);
      const name = `${contender.name} of ${count.toLocaleString("en")}`;
      measures.push(await measure(name, () => chooser.choose(request, none, none)));
    }
  }
  printMeasures("Endpoint of a request", measures);
}

function timeTables(): void {
  const members = Array.from({ length: 100 }, (_, index) => ({ address: `10.0.0.${index}:8080`, weight: 1 }));
  const tables = [
    ["ring, 1,024 points", () => new RingTable(members, 1024), 10],
    ["ring, 65,536 points", () => new RingTable(members, 65_536), 10],
    ["Maglev, 65,537 slots", () => new MaglevTable(members, 65_537), 2],
  ] as const;
  const rows = tables.map(([name, make, bytesASlot]) => {
    make();
    const startedAt = performance.now();
    const { owners } = make();
    return [name, (performance.now() - startedAt).toFixed(1), ((owners.length * bytesASlot) / 1024).toFixed(0)];
  });
  printTable("Tables of 100 endpoints", ["table", "ms to make", "KiB"], rows);
}

export async function benchBalancers(): Promise<void> {
  await timeChoices();
  timeTables();
}
