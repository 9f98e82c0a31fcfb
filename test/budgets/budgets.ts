// What the processes may cost, as numbers that need no quiet machine: bytes and counts. One table, so that a change that costs more has to say so
// here.
//
// `now` is what was measured when the row was last touched, `allowed` lies somewhat above it: counts move by a few per cent from machine to machine, and
// each major release of Node.js has numbers of its own. Raise `allowed` only with the reason in the commit; lower both when something has become cheaper.
import { expect } from "vitest";

interface Amount {
  readonly now: number;
  readonly allowed: number;
}

interface Budget {
  readonly what: string;
  readonly unit: "bytes" | "MiB" | "KiB of JavaScript" | "modules";
  readonly node20: Amount;
  readonly node24: Amount;
}

const table = {
  "uws-http1-heap": {
    what: "heap a request, HTTP/1.1 on uWebSockets.js",
    unit: "bytes",
    node20: { now: 6730, allowed: 7300 },
    node24: { now: 7100, allowed: 7700 },
  },
  "uws-http1-buffers": {
    what: "Buffers a request, HTTP/1.1 on uWebSockets.js",
    unit: "bytes",
    node20: { now: 4, allowed: 64 },
    node24: { now: 4, allowed: 64 },
  },
  "own-http1-heap": {
    what: "heap a request, HTTP/1.1 on our own codec",
    unit: "bytes",
    node20: { now: 8390, allowed: 9050 },
    node24: { now: 8900, allowed: 9500 },
  },
  "own-http1-buffers": {
    what: "Buffers a request, HTTP/1.1 on our own codec",
    unit: "bytes",
    node20: { now: 0, allowed: 64 },
    node24: { now: 0, allowed: 64 },
  },
  "own-http2-heap": {
    what: "heap a request, HTTP/2 on our own codec",
    unit: "bytes",
    node20: { now: 9270, allowed: 10_000 },
    node24: { now: 9400, allowed: 10_100 },
  },
  "own-http2-buffers": {
    what: "Buffers a request, HTTP/2 on our own codec",
    unit: "bytes",
    node20: { now: 66, allowed: 120 },
    node24: { now: 0, allowed: 64 },
  },
  "many-hosts-resident": {
    what: "resident memory of a worker with 10,000 hosts of one route",
    unit: "MiB",
    node20: { now: 137, allowed: 150 },
    node24: { now: 150, allowed: 170 },
  },
  "further-host-heap": {
    what: "heap a further host of one route",
    unit: "bytes",
    node20: { now: 1108, allowed: 1180 },
    node24: { now: 1080, allowed: 1180 },
  },
  "further-route-heap": {
    what: "heap a further route of a host",
    unit: "bytes",
    node20: { now: 395, allowed: 420 },
    node24: { now: 369, allowed: 420 },
  },
  "further-asked-route-heap": {
    what: "heap a further route of a host that has been asked for",
    unit: "bytes",
    node20: { now: 575, allowed: 630 },
    node24: { now: 549, allowed: 590 },
  },
  "further-host-table": {
    what: "table a further host of one route",
    unit: "bytes",
    node20: { now: 591, allowed: 610 },
    node24: { now: 591, allowed: 610 },
  },
  "further-route-table": {
    what: "table a further route of a host",
    unit: "bytes",
    node20: { now: 430, allowed: 445 },
    node24: { now: 430, allowed: 445 },
  },
  "up-modules": {
    what: "modules of the supervisor",
    unit: "modules",
    node20: { now: 247, allowed: 255 },
    node24: { now: 247, allowed: 255 },
  },
  "up-javascript": {
    what: "scripts of the supervisor",
    unit: "KiB of JavaScript",
    node20: { now: 1427, allowed: 1460 },
    node24: { now: 1427, allowed: 1460 },
  },
  "ctrl-modules": {
    what: "modules of ctrl",
    unit: "modules",
    node20: { now: 833, allowed: 844 },
    node24: { now: 840, allowed: 851 },
  },
  "ctrl-javascript": {
    what: "scripts of ctrl",
    unit: "KiB of JavaScript",
    node20: { now: 3940, allowed: 4025 },
    node24: { now: 3946, allowed: 4031 },
  },
  "edge-modules": {
    what: "modules of the edge's primary",
    unit: "modules",
    node20: { now: 362, allowed: 371 },
    node24: { now: 387, allowed: 396 },
  },
  "edge-javascript": {
    what: "scripts of the edge's primary",
    unit: "KiB of JavaScript",
    node20: { now: 1957, allowed: 1997 },
    node24: { now: 1975, allowed: 2015 },
  },
  "worker-modules": {
    what: "modules of a worker",
    unit: "modules",
    node20: { now: 310, allowed: 316 },
    node24: { now: 310, allowed: 316 },
  },
  "worker-javascript": {
    what: "scripts of a worker",
    unit: "KiB of JavaScript",
    node20: { now: 1281, allowed: 1320 },
    node24: { now: 1281, allowed: 1320 },
  },
} as const satisfies Readonly<Record<string, Budget>>;

export type BudgetName = keyof typeof table;

const major = Number(process.versions.node.split(".")[0]);
/** So much below `now` the row is out of date, and would let half of a regression through. */
const worthARow = 0.9;

/** Fails when a budget is exceeded, and says where it is set; says, too, when it could be lowered. */
export function expectWithin(name: BudgetName, measured: number): void {
  const { node20, node24, unit, what }: Budget = table[name];
  // Other majors have numbers of their own, which nobody has measured.
  if (major !== 20 && major !== 24) return console.warn(`no budgets for Node.js ${major}: ${name} was not checked`);
  const { allowed, now } = major === 24 ? node24 : node20;
  const found = `budget ${name} (${what}): measured ${format(measured)}, allowed ${format(allowed)} ${unit}`;
  const problem = `${found}; if this is intended, raise it in test/budgets/budgets.ts and say why`;
  expect(measured, problem).toBeLessThanOrEqual(allowed);
  if (measured < now * worthARow)
    console.warn(`${found}, and it was ${format(now)}: lower it in test/budgets/budgets.ts`);
}

function format(amount: number): string {
  return Math.round(amount).toLocaleString("en");
}
