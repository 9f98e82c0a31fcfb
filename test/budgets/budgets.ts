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
  /** What it is to come down to, where it is not there yet. */
  readonly goal?: number;
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
    node20: { now: 573, allowed: 700 },
    node24: { now: 606, allowed: 700 },
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
    node20: { now: 102, allowed: 160 },
    node24: { now: 36, allowed: 160 },
  },
  "many-hosts-resident": {
    what: "resident memory of a worker with 10,000 hosts of one route",
    unit: "MiB",
    node20: { now: 127, allowed: 142 },
    node24: { now: 136, allowed: 150 },
  },
  "further-host-heap": {
    what: "heap a further host of one route",
    unit: "bytes",
    node20: { now: 2406, allowed: 2550 },
    node24: { now: 2407, allowed: 2550 },
  },
  "further-route-heap": {
    what: "heap a further route of a host",
    unit: "bytes",
    node20: { now: 1452, allowed: 1540 },
    node24: { now: 1429, allowed: 1540 },
    goal: 1024,
  },
  "further-asked-route-heap": {
    what: "heap a further route of a host that has been asked for",
    unit: "bytes",
    node20: { now: 3408, allowed: 3600 },
    node24: { now: 3265, allowed: 3600 },
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
    node20: { now: 839, allowed: 850 },
    node24: { now: 839, allowed: 850 },
  },
  "ctrl-javascript": {
    what: "scripts of ctrl",
    unit: "KiB of JavaScript",
    node20: { now: 3954, allowed: 4040 },
    node24: { now: 3954, allowed: 4040 },
  },
  "edge-modules": {
    what: "modules of the edge's primary",
    unit: "modules",
    node20: { now: 366, allowed: 375 },
    node24: { now: 393, allowed: 402 },
  },
  "edge-javascript": {
    what: "scripts of the edge's primary",
    unit: "KiB of JavaScript",
    node20: { now: 1970, allowed: 2010 },
    node24: { now: 1990, allowed: 2030 },
  },
  "worker-modules": {
    what: "modules of a worker",
    unit: "modules",
    node20: { now: 304, allowed: 312 },
    node24: { now: 304, allowed: 312 },
  },
  "worker-javascript": {
    what: "scripts of a worker",
    unit: "KiB of JavaScript",
    node20: { now: 1291, allowed: 1330 },
    node24: { now: 1291, allowed: 1330 },
  },
} as const satisfies Readonly<Record<string, Budget>>;

export type BudgetName = keyof typeof table;

const major = Number(process.versions.node.split(".")[0]);
/** So much below `now` the row is out of date, and would let half of a regression through. */
const worthARow = 0.9;

/** Fails when a budget is exceeded, and says where it is set; says, too, when it could be lowered. */
export function expectWithin(name: BudgetName, measured: number): void {
  const { goal, node20, node24, unit, what }: Budget = table[name];
  const { allowed, now } = major >= 24 ? node24 : node20;
  const found = `budget ${name} (${what}): measured ${format(measured)}, allowed ${format(allowed)} ${unit}`;
  const problem = `${found}; if this is intended, raise it in test/budgets/budgets.ts and say why`;
  expect(measured, problem).toBeLessThanOrEqual(allowed);
  if (measured < now * worthARow)
    console.warn(`${found}, and it was ${format(now)}: lower it in test/budgets/budgets.ts`);
  if (goal !== undefined && measured > goal) console.warn(`${found}; the goal is ${format(goal)}`);
}

function format(amount: number): string {
  return Math.round(amount).toLocaleString("en");
}
