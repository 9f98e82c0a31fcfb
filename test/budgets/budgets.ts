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
    node20: { now: 8200, allowed: 8900 },
    node24: { now: 8600, allowed: 9300 },
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
    node20: { now: 9750, allowed: 10_500 },
    node24: { now: 10_250, allowed: 11_000 },
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
    node20: { now: 11_750, allowed: 12_700 },
    node24: { now: 11_850, allowed: 12_700 },
  },
  "own-http2-buffers": {
    what: "Buffers a request, HTTP/2 on our own codec",
    unit: "bytes",
    node20: { now: 16_420, allowed: 16_800 },
    node24: { now: 16_420, allowed: 16_800 },
  },
  "many-hosts-resident": {
    what: "resident memory of a worker with 10,000 hosts of one route",
    unit: "MiB",
    node20: { now: 156, allowed: 168 },
    node24: { now: 165, allowed: 178 },
    goal: 150,
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
    node20: { now: 741, allowed: 750 },
    node24: { now: 741, allowed: 750 },
  },
  "up-javascript": {
    what: "scripts of the supervisor",
    unit: "KiB of JavaScript",
    node20: { now: 3233, allowed: 3300 },
    node24: { now: 3233, allowed: 3300 },
  },
  "ctrl-modules": {
    what: "modules of ctrl",
    unit: "modules",
    node20: { now: 1080, allowed: 1095 },
    node24: { now: 1080, allowed: 1095 },
  },
  "ctrl-javascript": {
    what: "scripts of ctrl",
    unit: "KiB of JavaScript",
    node20: { now: 4764, allowed: 4860 },
    node24: { now: 4764, allowed: 4860 },
  },
  "edge-modules": {
    what: "modules of the edge's primary",
    unit: "modules",
    node20: { now: 587, allowed: 600 },
    node24: { now: 605, allowed: 618 },
  },
  "edge-javascript": {
    what: "scripts of the edge's primary",
    unit: "KiB of JavaScript",
    node20: { now: 2720, allowed: 2780 },
    node24: { now: 2736, allowed: 2800 },
  },
  "worker-modules": {
    what: "modules of a worker",
    unit: "modules",
    node20: { now: 513, allowed: 525 },
    node24: { now: 513, allowed: 525 },
  },
  "worker-javascript": {
    what: "scripts of a worker",
    unit: "KiB of JavaScript",
    node20: { now: 2030, allowed: 2080 },
    node24: { now: 2030, allowed: 2080 },
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
