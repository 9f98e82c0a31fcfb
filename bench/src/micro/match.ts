// What finding a route costs as tables grow: 1 to 10,000 routes in one virtual host, and 10,000 hosts. Every lookup's answer is
// checked before it is timed, against what the table was made to say.
import { buildVirtualHostIndex, type HostIndex, matcherFor, type MatchRequest } from "@sluice/core/match";
import { forwardTo, type Route, type VirtualHost } from "@sluice/core/model";
import { printTable, timeNs } from "./measure.ts";

const action = forwardTo([{ cluster: "outbound|80||shop.default.svc.cluster.local", weight: 1 }]);
const routeCounts = [1, 100, 10_000];
const hostCount = 10_000;

/** Path and header: as routes are written in the field, with a canary every tenth. */
function makeRoute(index: number): Route {
  const canary = { name: "x-canary", kind: "exact", value: "1", invert: false } as const;
  return {
    name: "",
    virtualService: { namespace: "default", name: "shop", apiVersion: "networking.istio.io/v1" },
    rule: { http: index, match: 0 },
    match: {
      path: { kind: index % 2 === 0 ? "prefix" : "exact", value: `/api/v1/service-${index}/`, ignoreCase: false },
      headers: index % 10 === 3 ? [canary] : [],
      queryParams: [],
    },
    action,
    policy: null,
    operation: "",
  };
}

function makeHost(domain: string, routes: readonly Route[]): VirtualHost {
  return { name: `${domain}:80`, domains: [domain], requireTls: false, routes };
}

function makeRequest(path: string): MatchRequest {
  return { path, query: "", method: "GET", authority: "shop.example", scheme: "http", header: () => null };
}

interface Lookup {
  readonly name: string;
  readonly expected: number;
  readonly request: MatchRequest;
}

/** The even route at or below `index`, which has no header to ask for. */
function even(index: number): number {
  return index - (index % 2);
}

function lookupsAmong(count: number): readonly Lookup[] {
  const hit = (name: string, index: number): Lookup => {
    return { name, expected: index, request: makeRequest(`/api/v1/service-${index}/`) };
  };
  return [
    hit("first", 0),
    hit("middle", even(Math.floor(count / 2))),
    hit("last", even(count - 1)),
    { name: "none", expected: -1, request: makeRequest("/api/v1/nobody/") },
  ];
}

/** Nanoseconds a lookup by number of routes and place. */
async function timeRoutes(): Promise<void> {
  const rows: string[][] = [];
  for (const count of routeCounts) {
    const routes = Array.from({ length: count }, (_, index) => makeRoute(index));
    const matcher = matcherFor(makeHost("shop.example", routes));
    const cells: string[] = [];
    for (const { expected, name, request } of lookupsAmong(count)) {
      assertIs(matcher.match(request), expected, `${name} of ${count} routes`);
      cells.push((await timeNs(`${name} of ${count} routes`, () => matcher.match(request))).toFixed(0));
    }
    rows.push([count.toLocaleString("en"), ...cells]);
  }
  printTable("Route of a virtual host, ns a lookup", ["routes", "first", "middle", "last", "none"], rows);
}

async function timeHosts(): Promise<void> {
  const rows: string[][] = [];
  for (const count of [1, 100, hostCount]) {
    const index = buildVirtualHostIndex(makeHosts(count));
    const last = even(count - 1);
    const exact = `shop-${last}.example`;
    const cells = [
      await timeHost(index, exact, exact),
      await timeHost(index, `a.b.t${last}.example`, `*.t${last}.example`),
      await timeHost(index, "nobody.example.org", "*"),
    ];
    rows.push([count.toLocaleString("en"), ...cells]);
  }
  printTable("Virtual host of a Host header, ns a lookup", ["hosts", "exact", "wildcard", "catch-all"], rows);
}

function makeHosts(count: number): readonly VirtualHost[] {
  const route = [makeRoute(0)];
  const exact = Array.from({ length: count }, (_, index) => makeHost(`shop-${index}.example`, route));
  const wildcard = Array.from({ length: count }, (_, index) => makeHost(`*.t${index}.example`, route));
  return [...exact, ...wildcard, makeHost("*", route)];
}

async function timeHost(index: HostIndex, host: string, domain: string): Promise<string> {
  assertIs(index.find(host)?.virtualHost.domains[0], domain, host);
  return (await timeNs(host, () => index.find(host))).toFixed(0);
}

/** Heap that a worker needs for a route that has had a request: the route's own objects and its place in the index. */
function measureMemory(): void {
  const count = 10_000;
  const before = heapBytes();
  const routes = Array.from({ length: count }, (_, index) => makeRoute(index));
  const afterRoutes = heapBytes();
  const matcher = matcherFor(makeHost("memory.example", routes));
  assertIs(matcher.match(makeRequest("/api/v1/service-2/")), 2, "memory");
  const afterIndex = heapBytes();
  const cells = [(afterRoutes - before) / count, (afterIndex - afterRoutes) / count].map((bytes) => bytes.toFixed(0));
  printTable("Heap of a route, bytes", ["route", "its place in the index"], [cells]);
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function assertIs(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} was found, not ${String(expected)}`);
}

/** Runs all of it. */
export async function benchMatch(): Promise<void> {
  measureMemory();
  await timeRoutes();
  await timeHosts();
}
