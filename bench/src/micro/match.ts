// What finding a route costs as tables grow: 1 to 10,000 routes in one virtual host, and 10,000 hosts. Every lookup's answer is
// checked before it is timed, against what the table was made to say.
import { buildVirtualHostIndex, type HostIndex, matcherFor, type MatchRequest } from "@sluice/core/match";
import { forwardTo, type Route, type VirtualHost } from "@sluice/core/model";
import { assertIs, heapBytes, measure, type Measure, printMeasures, printTable } from "./measure.ts";

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

/** A lookup by number of routes and place. */
async function timeRoutes(): Promise<void> {
  const measures: Measure[] = [];
  for (const count of routeCounts) {
    const routes = Array.from({ length: count }, (_, index) => makeRoute(index));
    const matcher = matcherFor(makeHost("shop.example", routes));
    for (const { expected, name, request } of lookupsAmong(count)) {
      const what = `${name} of ${count.toLocaleString("en")} routes`;
      assertIs(matcher.match(request), expected, what);
      measures.push(await measure(what, () => matcher.match(request)));
    }
  }
  printMeasures("Route of a virtual host", measures);
}

async function timeHosts(): Promise<void> {
  const measures: Measure[] = [];
  for (const count of [1, 100, hostCount]) {
    const index = buildVirtualHostIndex(makeHosts(count));
    const last = even(count - 1);
    const of = `of ${count.toLocaleString("en")} hosts`;
    const exact = `shop-${last}.example`;
    measures.push(await timeHost(index, `exact ${of}`, { host: exact, domain: exact }));
    measures.push(
      await timeHost(index, `wildcard ${of}`, { host: `a.b.t${last}.example`, domain: `*.t${last}.example` }),
    );
    measures.push(await timeHost(index, `none ${of}, the catch-all`, { host: "nobody.example.org", domain: "*" }));
  }
  printMeasures("Virtual host of a Host header", measures);
}

function makeHosts(count: number): readonly VirtualHost[] {
  const route = [makeRoute(0)];
  const exact = Array.from({ length: count }, (_, index) => makeHost(`shop-${index}.example`, route));
  const wildcard = Array.from({ length: count }, (_, index) => makeHost(`*.t${index}.example`, route));
  return [...exact, ...wildcard, makeHost("*", route)];
}

async function timeHost(
  index: HostIndex,
  name: string,
  { host, domain }: { readonly host: string; readonly domain: string },
): Promise<Measure> {
  assertIs(index.find(host)?.virtualHost.domains[0], domain, host);
  return measure(name, () => index.find(host));
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

/** Runs all of it. */
export async function benchMatch(): Promise<void> {
  measureMemory();
  await timeRoutes();
  await timeHosts();
}
