import { describe, expect, it } from "vitest";
import { type Explanation, explain, renderExplanation } from "../../src/explain/index.ts";
import {
  type Cluster,
  forwardTo,
  type ForwardAction,
  type PathMatch,
  plainEndpoint,
  type RedirectAction,
  type Route,
} from "../../src/model/index.ts";
import { cluster, httpbin, plainTable, question, route, virtualHost } from "./tables.ts";

const anyPath: PathMatch = { kind: "prefix", value: "/", ignoreCase: false };

function ask(fields: Partial<Route>, asked: Parameters<typeof question>[0] = {}, path: PathMatch = anyPath) {
  const routes = [route({ path }, fields)];
  return explain(plainTable([virtualHost(["*"], { routes })]), question(asked));
}

function lines(answer: Explanation, stage: string): string[] {
  return answer.steps.filter((step) => step.stage === stage).map(({ candidate, reason }) => `${candidate}: ${reason}`);
}

function redirect(fields: Partial<RedirectAction>): { readonly action: RedirectAction } {
  return { action: { kind: "redirect", status: 301, scheme: null, host: null, port: null, path: null, ...fields } };
}

function forward(fields: Partial<ForwardAction>): { readonly action: ForwardAction } {
  return { action: { ...forwardTo([{ cluster: httpbin, weight: 1 }]), ...fields } };
}

describe("explain of a redirect", () => {
  const host = "httpbin.example.com:80";
  it.each<[string, Partial<RedirectAction>, string]>([
    ["keeps what it does not name", {}, "http://httpbin.example.com:80/old/a?b=c"],
    ["drops the default port of a scheme it leaves", { scheme: "https" }, "https://httpbin.example.com/old/a?b=c"],
    ["keeps the port of a scheme it stays in", { scheme: "http" }, "http://httpbin.example.com:80/old/a?b=c"],
    ["names a port", { port: 8443 }, "http://httpbin.example.com:8443/old/a?b=c"],
    ["names a host", { host: "b.example", port: 81 }, "http://b.example:81/old/a?b=c"],
    [
      "replaces the path, keeping the query",
      { path: { kind: "full", value: "/x" } },
      "http://httpbin.example.com:80/x?b=c",
    ],
    ["prefers its own query", { path: { kind: "full", value: "/x?y" } }, "http://httpbin.example.com:80/x?y"],
    [
      "lets slashes that meet become one",
      { path: { kind: "prefix", value: "/new/" } },
      "http://httpbin.example.com:80/new/a?b=c",
    ],
    ["replaces a prefix", { path: { kind: "prefix", value: "/new" } }, "http://httpbin.example.com:80/new/a?b=c"],
  ])("%s", (_, fields, location) => {
    const old: PathMatch = { kind: "prefix", value: "/old", ignoreCase: false };
    const answer = ask(redirect(fields), { host, path: "/old/a?b=c" }, old);
    expect(answer).toMatchObject({ action: "redirect", status: 301, location, cluster: null, error: null });
    expect(lines(answer, "redirect")).toEqual([`301: to ${location}`]);
  });

  it.each(["exact", "regex"] as const)("puts the new prefix in place of all that an %s match took", (kind) => {
    const match: PathMatch = { kind, value: kind === "exact" ? "/old/a" : "/o.*", ignoreCase: false };
    const answer = ask(
      redirect({ path: { kind: "prefix", value: "/new" } }),
      { host: "a.example", path: "/old/a" },
      match,
    );
    expect(answer.location).toBe("http://a.example/new");
  });

  it("takes an IPv6 address for one", () => {
    expect(ask(redirect({ port: 1 }), { host: "[::1]:80", path: "/" }).location).toBe("http://[::1]:1/");
    expect(ask(redirect({ port: 1 }), { host: "[::1]", path: "/" }).location).toBe("http://[::1]:1/");
  });
});

describe("explain of a direct response", () => {
  it("names the status and shows the body", () => {
    const action = { kind: "direct-response", status: 503, body: Buffer.from("closed for today") } as const;
    const answer = ask({ action });
    expect(answer).toMatchObject({ action: "direct-response", status: 503, route: 0, cluster: null });
    expect(lines(answer, "direct-response")).toEqual([
      '503: answered without an upstream: "closed for today" (16 bytes)',
    ]);
    expect(renderExplanation(answer)).toMatch(/^503 answered by the gateway itself\n/);
  });
});

describe("explain of what a route does on the way", () => {
  it("tells timeout, retries, mirrors and faults", () => {
    const retry = {
      attempts: 1,
      conditions: ["5xx", "retriable-status-codes"],
      statusCodes: [429],
      perTryTimeoutMs: 1500,
      backoffBaseMs: 10,
      avoidsPreviousHosts: false,
      triesRemoteLocalities: false,
    };
    const answer = ask({
      ...forward({ timeoutMs: 120_000, retry, mirrors: [{ cluster: "copy", percentage: 12.5 }] }),
      policy: {
        fault: {
          delay: { percentage: 0.1, durationMs: 250 },
          abort: { percentage: 5, httpStatus: null, grpcStatus: 14 },
        },
        cors: null,
        headers: {
          request: { remove: ["x-a"], set: [{ name: "x-b", value: "1" }], add: [] },
          response: { remove: [], set: [], add: [{ name: "x-c", value: "%PROTOCOL%" }] },
        },
      },
    });
    expect(lines(answer, "policy")).toEqual([
      "fault: 0.1 % of requests wait 250 ms",
      "fault: 5 % of requests are answered gRPC status 14",
      'request headers: remove x-a, set x-b to "1"',
      'response headers: add x-c "%PROTOCOL%"',
      "timeout: 2 min",
      "retries: 1 more attempt on 5xx, retriable-status-codes 429; 10 ms to 100 ms apart; each within 1.5 s",
      "mirror: 12.5 % of requests to copy",
      "balancer: the less busy of two endpoints drawn at random",
    ]);
  });

  it.each<[string, ForwardAction["rewrite"], PathMatch, string]>([
    [
      "a prefix",
      { path: { kind: "prefix", value: "/s" }, authority: null },
      { kind: "prefix", value: "/status", ignoreCase: false },
      'path "/status/200" becomes "/s/200"',
    ],
    [
      "an expression",
      { path: { kind: "regex", pattern: "/(\\w+)/(\\d)", substitution: "/$\\2\\1" }, authority: "b.example" },
      anyPath,
      'path "/status/200" becomes "/$2status00", authority becomes "b.example"',
    ],
    [
      "a prefix whose slash meets the next one",
      { path: { kind: "prefix", value: "/" }, authority: null },
      { kind: "prefix", value: "/status", ignoreCase: false },
      'path "/status/200" becomes "/200"',
    ],
    [
      "an exact path, with a query of its own",
      { path: { kind: "prefix", value: "/s?from=status" }, authority: null },
      { kind: "exact", value: "/status/200", ignoreCase: false },
      'path "/status/200" becomes "/s?from=status"',
    ],
  ])("shows what a rewrite makes of %s", (_, rewrite, path, text) => {
    expect(lines(ask(forward({ rewrite }), {}, path), "policy")).toContain(`rewrite: ${text}`);
  });

  it("says that a rewrite which could be read in two ways is refused", () => {
    const rewrite = { path: { kind: "prefix", value: "/files/" }, authority: null } as const;
    const answer = ask(
      forward({ rewrite }),
      { path: "/static../secret" },
      { kind: "prefix", value: "/static", ignoreCase: false },
    );
    expect(answer).toMatchObject({ action: "reject", status: 400, cluster: null });
    expect(lines(answer, "policy")).toEqual([
      'rewrite: what it makes of path "/static../secret" is no path that has one reading',
    ]);
  });

  it("tells how a cluster picks and treats endpoints", () => {
    const special: Cluster = {
      ...cluster(httpbin),
      balancer: { kind: "maglev", key: { kind: "header", name: "x-user" }, size: 65_537 },
      warmup: { durationMs: 30_000, minimumPercent: 10, aggression: 1 },
      destinationRule: { namespace: "shop", name: "httpbin", apiVersion: "v1" },
      limits: { ...cluster("").limits, maxConnections: 7 },
      endpoints: [
        { ...plainEndpoint("::1", 81), locality: "eu/a", weight: 3 },
        { ...plainEndpoint("unix:///run/a.sock", 0), priority: 1 },
      ],
    };
    const answer = explain({ ...plainTable(), clusters: [special] }, question({}));
    expect(lines(answer, "policy").slice(2)).toEqual([
      "rule: DestinationRule shop/httpbin",
      "balancer: Maglev hash of header x-user",
      "warm-up: new endpoints begin with 10 % and have their share after 30 s",
      "limits: 7 connections",
    ]);
    expect(lines(answer, "endpoint")).toEqual([
      "[::1]:81: ready, weight 3, eu/a",
      "unix:///run/a.sock: ready, weight 1, priority 1: used when those before it are not enough",
    ]);
  });

  it("does not list every endpoint of a large cluster", () => {
    const endpoints = Array.from({ length: 1000 }, (_, index) => plainEndpoint("10.0.0.1", index + 1));
    const answer = explain({ ...plainTable(), clusters: [{ ...cluster(httpbin), endpoints }] }, question({}));
    expect(lines(answer, "endpoint")).toHaveLength(11);
    expect(lines(answer, "endpoint").at(-1)).toBe("(990 more): of the same cluster");
  });
});

describe("explain's near misses", () => {
  const canary = { headers: [{ name: "x-canary", kind: "exact", value: "1", invert: false }] } as const;
  const shop = { virtualService: { namespace: "default", name: "shop", apiVersion: "v1" } };

  it("name the routes whose path is right, and what they lack", () => {
    const routes = [
      route({ path: { kind: "prefix", value: "/other", ignoreCase: false } }, shop),
      route({ path: anyPath, ...canary }, { ...shop, name: "canary" }),
      route({ path: { kind: "exact", value: "/Status/200", ignoreCase: false } }, shop),
    ];
    const answer = explain(plainTable([virtualHost(["*"], { routes })]), question({}));
    expect(answer.error).toBe("no-route");
    expect(lines(answer, "near-miss")).toEqual([
      "route canary (#1) of VirtualService default/shop: the path matches, but header x-canary is absent",
      'route #2 of VirtualService default/shop: path "/status/200" is not /Status/200: only the letter case differs',
    ]);
    expect(renderExplanation(answer)).toContain(
      "\nnear misses\n  - route canary (#1) of VirtualService default/shop  the path matches, but header x-canary is absent\n",
    );
  });

  it("name the host that was meant", () => {
    const answer = explain(
      plainTable([virtualHost(["shop.example"]), virtualHost(["*.apps.example"])]),
      question({ host: "shop.exmaple" }),
    );
    expect(answer.error).toBe("no-virtual-host");
    expect(lines(answer, "near-miss")).toEqual(['shop.example:80: host "shop.exmaple" is nearly shop.example']);
  });

  it("are told of routes before the one that matched, and of none behind it", () => {
    const routes = [route(canary, shop), route(), route(canary, shop)];
    const answer = explain(plainTable([virtualHost(["*"], { routes })]), question({}));
    expect(answer.route).toBe(1);
    expect(lines(answer, "near-miss")).toHaveLength(1);
  });

  it("are found behind a thousand other routes, and are not many", () => {
    const others = Array.from({ length: 1000 }, (_, index) =>
      route({ path: { kind: "exact", value: `/p${index}`, ignoreCase: false } }),
    );
    const near = Array.from({ length: 20 }, () => route({ path: anyPath, ...canary }, shop));
    const answer = explain(plainTable([virtualHost(["*"], { routes: [...others, ...near] })]), question({}));
    expect(lines(answer, "near-miss")).toHaveLength(5);
  });
});
