import { describe, expect, it } from "vitest";
import {
  buildChainIndex,
  buildVirtualHostIndex,
  findQueryParameter,
  isMisdirected,
  matcherFor,
  selectFilterChain,
} from "../../src/match/index.ts";
import type { MatchRequest } from "../../src/match/index.ts";
import { forwardTo } from "../../src/model/index.ts";
import type { FilterChain, RouteMatch, VirtualHost } from "../../src/model/index.ts";

function virtualHost(domains: readonly string[], matches: readonly Partial<RouteMatch>[] = [{}]): VirtualHost {
  return {
    name: domains.join(),
    domains,
    requireTls: false,
    routes: matches.map((match) => ({
      name: "",
      virtualService: { namespace: "default", name: "vs", apiVersion: "v1" },
      rule: { http: 0, match: 0 },
      match: { path: prefix("/"), headers: [], queryParams: [], ...match },
      action: forwardTo([{ cluster: "c", weight: 1 }]),
      policy: null,
      operation: "",
    })),
  };
}

function prefix(value: string) {
  return { kind: "prefix", value, ignoreCase: false } as const;
}

function request(path: string, fields: Partial<MatchRequest> = {}): MatchRequest {
  return { path, query: "", method: "GET", authority: "a.example", scheme: "http", header: () => null, ...fields };
}

function withHeaders(headers: Record<string, string>): Partial<MatchRequest> {
  return { header: (name) => headers[name] ?? null };
}

describe("HostIndex", () => {
  const index = buildVirtualHostIndex([
    virtualHost(["foo.com"]),
    virtualHost(["*.foo.com"]),
    virtualHost(["*.a.foo.com"]),
    virtualHost(["*bar.com"]),
  ]);
  const find = (host: string) => index.find(host)?.virtualHost.name ?? null;

  it("prefers the exact host, then the longest wildcard", () => {
    expect(find("foo.com")).toBe("foo.com");
    expect(find("x.foo.com")).toBe("*.foo.com");
    expect(find("x.a.foo.com")).toBe("*.a.foo.com");
    expect(find("x.y.a.foo.com")).toBe("*.a.foo.com");
  });

  it("wants at least one character in place of *", () => {
    expect(find(".foo.com")).toBeNull();
    expect(find("bar.com")).toBeNull();
    expect(find("xbar.com")).toBe("*bar.com");
  });

  it("does not take a suffix for a label", () => {
    expect(find("evilfoo.com")).toBeNull();
    expect(find("foo.com.evil")).toBeNull();
  });

  it("takes what is left, even an empty host, only with *", () => {
    expect(find("")).toBeNull();
    const any = buildVirtualHostIndex([virtualHost(["foo.com"]), virtualHost(["*"])]);
    expect(any.find("")?.virtualHost.name).toBe("*");
    expect(any.find("other")?.virtualHost.name).toBe("*");
  });

  it("keeps the matcher of a virtual host object over tables", () => {
    const same = virtualHost(["foo.com"]);
    expect(buildVirtualHostIndex([same]).find("foo.com")).toBe(
      buildVirtualHostIndex([same, virtualHost(["b"])]).find("foo.com"),
    );
  });
});

/** Every case runs on the walk and, padded with routes that never match, on the index. */
describe.each([
  ["walk", 0],
  ["index", 20],
])("VirtualHostMatcher, %s", (_, padding) => {
  const never = Array.from({ length: padding }, (__, index) => ({ path: prefix(`/never/${index}`) }));
  const match = (matches: readonly Partial<RouteMatch>[], question: MatchRequest) =>
    matcherFor(virtualHost(["*"], [...matches, ...never])).match(question);

  it("takes the first matching route, not the most specific", () => {
    const routes = [
      { path: prefix("/") },
      { path: prefix("/status") },
      { path: { kind: "exact", value: "/status", ignoreCase: false } as const },
    ];
    expect(match(routes, request("/status"))).toBe(0);
    expect(match(routes.toReversed(), request("/status"))).toBe(0);
    expect(match(routes.toReversed(), request("/status/200"))).toBe(1);
  });

  it("compares prefixes as text: /get matches /getx", () => {
    expect(match([{ path: prefix("/get") }], request("/getx"))).toBe(0);
    expect(match([{ path: prefix("/get") }], request("/ge"))).toBe(-1);
  });

  it("matches a regular expression against the whole path", () => {
    const routes = [{ path: { kind: "regex", value: "/a|/b+", ignoreCase: false } as const }];
    expect(match(routes, request("/bbb"))).toBe(0);
    expect(match(routes, request("/bbbc"))).toBe(-1);
    expect(match(routes, request("/x/a"))).toBe(-1);
  });

  it("answers in linear time where a backtracking engine would hang", () => {
    const routes = [{ path: { kind: "regex", value: "/(a+)+b", ignoreCase: false } as const }];
    expect(match(routes, request(`/${"a".repeat(5000)}`))).toBe(-1);
  });

  it("matches nothing with an expression that RE2 refuses, even inverted", () => {
    const header = { name: "x-a", kind: "regex", value: "(?=a)", invert: true } as const;
    expect(match([{ headers: [header] }], request("/"))).toBe(-1);
    expect(match([{ path: { kind: "regex", value: "(?!a)", ignoreCase: false } }], request("/"))).toBe(-1);
  });

  it("ignores case where asked, in ASCII only", () => {
    const routes = [{ path: { kind: "prefix", value: "/Kilo", ignoreCase: true } as const }];
    expect(match(routes, request("/kILO/x"))).toBe(0);
    expect(match(routes, request("/\u212AILO"))).toBe(-1);
  });

  it("tells absent from empty, except in withoutHeaders", () => {
    const exact = (value: string, invert: boolean) => [
      { headers: [{ name: "x-a", kind: "exact", value, invert } as const] },
    ];
    const absent = request("/");
    expect(match(exact("", false), absent)).toBe(-1);
    expect(match(exact("", false), request("/", withHeaders({ "x-a": "" })))).toBe(0);
    expect(match(exact("1", true), absent)).toBe(0);
    expect(match(exact("1", true), request("/", withHeaders({ "x-a": "1" })))).toBe(-1);
    expect(match(exact("", true), absent)).toBe(-1);
  });

  it("turns presence into absence in withoutHeaders", () => {
    const routes = [{ headers: [{ name: "x-a", kind: "present", value: "", invert: true } as const] }];
    expect(match(routes, request("/"))).toBe(0);
    expect(match(routes, request("/", withHeaders({ "x-a": "" })))).toBe(-1);
  });

  it("reads method, scheme and authority, and host as authority", () => {
    const route = (name: string, value: string) => [
      { headers: [{ name, kind: "exact", value, invert: false } as const] },
    ];
    expect(match(route(":method", "POST"), request("/", { method: "POST" }))).toBe(0);
    expect(match(route(":method", "post"), request("/", { method: "POST" }))).toBe(-1);
    expect(match(route(":scheme", "https"), request("/"))).toBe(-1);
    expect(match(route(":authority", "a.example:80"), request("/", { authority: "a.example:80" }))).toBe(0);
    expect(match(route("host", "a.example"), request("/"))).toBe(0);
  });

  it("wants every predicate", () => {
    const routes = [
      {
        headers: [{ name: "x-a", kind: "present", value: "", invert: false } as const],
        queryParams: [{ name: "v", kind: "exact", value: "1" } as const],
      },
    ];
    expect(match(routes, request("/", { ...withHeaders({ "x-a": "" }), query: "v=1" }))).toBe(0);
    expect(match(routes, request("/", { query: "v=1" }))).toBe(-1);
    expect(match(routes, request("/", withHeaders({ "x-a": "" })))).toBe(-1);
  });
});

it("an idle virtual host compiles nothing, a matched one only once", () => {
  let reads = 0;
  const host = virtualHost(["*"]);
  const watched = {
    ...host,
    get routes() {
      reads++;
      return host.routes;
    },
  };
  const matcher = buildVirtualHostIndex([watched]).find("x");
  expect(reads).toBe(0);
  matcher?.match(request("/"));
  matcher?.match(request("/"));
  expect(reads).toBe(1);
});

it.each([
  ["v=1", "v", "1"],
  ["a=1&v=2", "v", "2"],
  ["v=1&v=2", "v", "1"],
  ["v", "v", ""],
  ["v&a", "v", ""],
  ["v=", "v", ""],
  ["v=a=b", "v", "a=b"],
  ["vv=1&v=2", "v", "2"],
  ["xv=1", "v", null],
  ["V=1", "v", null],
  ["v=a%20b+c", "v", "a%20b+c"],
  ["%76=1", "v", null],
  ["", "v", null],
  ["=1", "", "1"],
  ["a&&b", "", ""],
])("findQueryParameter(%j, %j) is %j", (query, name, expected) =>
  expect(findQueryParameter(query, name)).toBe(expected),
);

describe("filter chains", () => {
  const chain = (name: string, ...serverNames: string[]): FilterChain => ({
    name,
    serverNames,
    tls: null,
    routeConfig: name,
    forward: null,
    statPrefix: null,
    gateway: { namespace: "default", name: "gw" },
  });
  const [open, secure, wild] = [chain("open"), chain("secure", "secure.example.com"), chain("wild", "*.example.com")];
  const index = buildChainIndex([open, wild, secure]);

  it("are chosen by exact name, longest wildcard, then the one without names", () => {
    expect(selectFilterChain(index, "secure.example.com")).toBe(secure);
    expect(selectFilterChain(index, "a.example.com")).toBe(wild);
    expect(selectFilterChain(index, "example.com")).toBe(open);
    expect(selectFilterChain(index, null)).toBe(open);
    expect(selectFilterChain(index, "")).toBe(open);
  });

  it("are chosen by the name as DNS reads it: any case, with or without a trailing dot", () => {
    expect(selectFilterChain(index, "SECURE.example.com.")).toBe(secure);
  });

  it("close the connection when none claims it", () => {
    expect(selectFilterChain(buildChainIndex([secure]), null)).toBeNull();
    expect(selectFilterChain(buildChainIndex([secure]), "other")).toBeNull();
  });

  it("give 421 to the host of another chain, from whichever side", () => {
    expect(isMisdirected(index, wild, "secure.example.com")).toBe(true);
    expect(isMisdirected(index, open, "secure.example.com")).toBe(true);
    expect(isMisdirected(index, secure, "other.host")).toBe(true);
    expect(isMisdirected(index, secure, "secure.example.com")).toBe(false);
    expect(isMisdirected(buildChainIndex([secure]), secure, "nobody.example")).toBe(false);
  });
});
