import { describe, expect, it } from "vitest";
import { forwardTo } from "../../src/model/index.ts";
import { explain, renderExplanation } from "../../src/explain/index.ts";
import type { Explanation } from "../../src/explain/index.ts";
import {
  chain,
  cluster,
  httpbin,
  listener,
  plainTable,
  question,
  route,
  secret,
  tlsTable,
  virtualHost,
} from "./tables.ts";

const https = { port: 443, scheme: "https" } as const;

/** The steps of a stage, short. */
function steps(explanation: Explanation, stage: string): string[] {
  return explanation.steps
    .filter((step) => step.stage === stage)
    .map((step) => `${step.result} ${step.candidate}: ${step.reason}`);
}

describe("explain", () => {
  it("answers with every key of the contract, in its order", () => {
    const answer = explain(plainTable(), question({}));
    expect(JSON.parse(JSON.stringify(answer))).toStrictEqual({
      listener: "0.0.0.0_80",
      filterChain: "http.80",
      routeConfig: "http.80",
      virtualHost: "httpbin.example.com:80",
      route: 0,
      cluster: httpbin,
      clusters: [{ name: httpbin, weight: 1 }],
      action: "forward",
      status: null,
      location: null,
      error: null,
      steps: [
        { stage: "listener", candidate: "0.0.0.0_80", result: "matched", reason: "port 80, cleartext HTTP" },
        {
          stage: "filter-chain",
          candidate: "http.80",
          result: "matched",
          reason: "a cleartext listener has one chain",
        },
        {
          stage: "virtual-host",
          candidate: "httpbin.example.com:80",
          result: "matched",
          reason: 'host "httpbin.example.com" is covered by httpbin.example.com',
        },
        { stage: "route", candidate: "#0", result: "matched", reason: "path starts with /status" },
        {
          stage: "policy",
          candidate: "timeout",
          result: "matched",
          reason: "none: an upstream may take as long as it likes",
        },
        {
          stage: "policy",
          candidate: "retries",
          result: "matched",
          reason: expect.stringMatching(/^2 more attempts on connect-failure, .*; Istio's default$/),
        },
        { stage: "cluster", candidate: httpbin, result: "matched", reason: "1 of 2 endpoints healthy" },
        {
          stage: "policy",
          candidate: "balancer",
          result: "matched",
          reason: "the less busy of two endpoints drawn at random",
        },
        { stage: "endpoint", candidate: "10.0.0.0:80", result: "matched", reason: "ready, weight 1" },
        {
          stage: "endpoint",
          candidate: "10.0.0.1:80",
          result: "rejected",
          reason: "not ready: it gets nothing, weight 1",
        },
      ],
    });
    const keys = [
      "listener",
      "filterChain",
      "routeConfig",
      "virtualHost",
      "route",
      "cluster",
      "clusters",
      "action",
      "status",
      "location",
      "error",
      "steps",
    ];
    expect(Object.keys(answer)).toStrictEqual(keys);
    expect(Object.keys(explain(plainTable(), question({ port: 1 })))).toStrictEqual(keys);
  });

  it("finds the host whatever its case, port or trailing dot", () => {
    for (const host of ["HTTPBIN.example.com", "httpbin.example.com:8080", "httpbin.example.com.:80"]) {
      expect(explain(plainTable(), question({ host })).action).toBe("forward");
    }
  });

  it("says that nothing listens, and which port a declared one became", () => {
    const table = { ...plainTable(), listeners: [listener(8080, [chain("http.80", [], null)], { declaredPort: 80 })] };
    const answer = explain(table, question({}));
    expect(answer).toMatchObject({ error: "no-listener", action: "reject", status: null, listener: null });
    expect(steps(answer, "listener")).toStrictEqual([
      "rejected 0.0.0.0_8080: it listens on port 8080, not 80; 80 is the port its Gateway declares",
    ]);
  });

  it.each([
    ["no-virtual-host", { host: "other.example" }, { status: 404, virtualHost: null }],
    [
      "no-route",
      { path: "/nope" },
      { status: 404, virtualHost: "httpbin.example.com:80", route: null, cluster: null, clusters: [] },
    ],
    ["tls-on-plaintext", { scheme: "https" }, { status: null, filterChain: null }],
    ["no-filter-chain", { scheme: "tcp" }, { status: null }],
  ] as const)("in clear reports %s", (error, fields, rest) => {
    expect(explain(plainTable(), question(fields))).toMatchObject({ action: "reject", error, ...rest });
  });

  it("prints the blackhole of a port without virtual service", () => {
    const table = plainTable([{ name: "blackhole:80", domains: ["*"], requireTls: false, routes: [] }]);
    expect(explain(table, question({}))).toMatchObject({ virtualHost: "blackhole:80", error: "no-route", status: 404 });
  });

  it("searches the most specific virtual host only", () => {
    const table = plainTable([
      virtualHost(["*"], { routes: [route({ path: { kind: "prefix", value: "/", ignoreCase: false } })] }),
      virtualHost(["*.example.com"]),
    ]);
    const answer = explain(table, question({ path: "/other" }));
    expect(answer).toMatchObject({ virtualHost: "*.example.com:80", error: "no-route" });
    expect(steps(answer, "virtual-host")[0]).toBe(
      "rejected *:80: it covers the name with *, but another claims it more specifically",
    );
  });

  it("normalises the path, keeps the query, refuses what the edge refuses", () => {
    expect(explain(plainTable(), question({ path: "/x/%2e%2e/%73tatus?a=/../b" })).action).toBe("forward");
    expect(explain(plainTable(), question({ path: "/a\nb" }))).toMatchObject({
      action: "reject",
      status: 400,
      error: null,
    });
    expect(explain(plainTable(), question({ path: "" }))).toMatchObject({ error: "no-route" });
  });

  it("redirects a host that requires TLS before it looks at routes, keeping path and query", () => {
    const table = plainTable([virtualHost(["httpbin.example.com"], { requireTls: true, routes: [] })]);
    const answer = explain(
      table,
      question({ host: "httpbin.example.com:80", path: "/a/../b?c=d", headers: [["x-forwarded-proto", "https"]] }),
    );
    expect(answer).toMatchObject({
      action: "redirect",
      status: 301,
      location: "https://httpbin.example.com:80/b?c=d",
      error: null,
      route: null,
    });
  });

  it("names the heaviest cluster and lists all", () => {
    const clusters = [
      { cluster: "a", weight: 10 },
      { cluster: "b", weight: 90 },
    ];
    const table = plainTable([
      virtualHost(["httpbin.example.com"], {
        routes: [route({}, { name: "split", action: forwardTo(clusters) })],
      }),
    ]);
    const answer = explain({ ...table, clusters: [cluster("a", 0)] }, question({}));
    expect(answer).toMatchObject({
      route: "split",
      cluster: "b",
      clusters: [
        { name: "a", weight: 10 },
        { name: "b", weight: 90 },
      ],
      status: null,
    });
    expect(steps(answer, "cluster")).toStrictEqual([
      "rejected a: it has no healthy endpoint: requests sent to it get 503, 10 % of requests",
      "rejected b: it does not exist: requests sent to it get 503, 90 % of requests",
    ]);
  });

  it("tells why each route before the match was passed over", () => {
    const header = (name: string, value: string, invert = false) => ({
      headers: [{ name, kind: "exact", value, invert } as const],
    });
    const path = (kind: "exact" | "prefix" | "regex", value: string) => ({ path: { kind, value, ignoreCase: false } });
    const routes = [
      route(path("prefix", "/delay")),
      route(path("prefix", "/STATUS")),
      route(path("exact", "/status/200/")),
      route(path("regex", "/status")),
      route(header("x-canary", "1")),
      route(header("x-version", "2")),
      route(header("x-version", "1", true)),
      route(header(":method", "POST")),
      route({ queryParams: [{ name: "v", kind: "exact", value: "1" }] }, { name: "query" }),
      route(),
    ];
    const answer = explain(
      plainTable([virtualHost(["httpbin.example.com"], { routes })]),
      question({ path: "/status/200?v=2", headers: [["X-Version", "1"]] }),
    );
    expect(answer.route).toBe(9);
    expect(steps(answer, "route")).toStrictEqual([
      'rejected #0: path "/status/200" does not start with /delay',
      'rejected #1: path "/status/200" does not start with /STATUS: only the letter case differs',
      'rejected #2: path "/status/200" is not /status/200/: only the trailing slash differs',
      'rejected #3: path "/status/200" does not match the regular expression /status',
      "rejected #4: header x-canary is absent",
      'rejected #5: header x-version is "1", not "2"',
      'rejected #6: header x-version is "1", and the route excludes it',
      'rejected #7: method is "GET", not "POST"',
      'rejected query (#8): query parameter v is "2", not "1"',
      "matched #9: path starts with /status",
    ]);
  });

  it("joins repeated headers as the edge does", () => {
    const headers = [{ name: "x-a", kind: "exact", value: "1,2", invert: false } as const];
    const table = plainTable([virtualHost(["httpbin.example.com"], { routes: [route({ headers })] })]);
    expect(
      explain(
        table,
        question({
          headers: [
            ["X-A", "1"],
            ["x-a", "2"],
          ],
        }),
      ).action,
    ).toBe("forward");
  });

  it("keeps its steps readable among ten thousand hosts", () => {
    const hosts = Array.from({ length: 10_000 }, (_, index) => virtualHost([`h${index}.example`]));
    const answer = explain(plainTable(hosts), question({ host: "h9999.example" }));
    expect(answer.virtualHost).toBe("h9999.example:80");
    expect(answer.steps.length).toBeLessThan(70);
    expect(steps(answer, "virtual-host")).toContain("rejected (9949 more): for the same kind of reason");
  });
});

describe("explain on a TLS listener", () => {
  const [open, secure] = [chain("open", []), chain("secure", ["secure.example.com"])];

  it("picks the chain by SNI", () => {
    const answer = explain(
      tlsTable([open, secure]),
      question({ ...https, sni: "SECURE.example.com.", host: "secure.example.com" }),
    );
    expect(answer).toMatchObject({
      filterChain: "secure",
      virtualHost: "secure.example.com:443",
      cluster: httpbin,
      error: null,
    });
  });

  it("closes connections that no chain claims, and says what each wanted", () => {
    const table = tlsTable([secure]);
    const unknown = explain(table, question({ ...https, sni: "other.example" }));
    expect(unknown).toMatchObject({
      error: "no-filter-chain",
      listener: "0.0.0.0_443",
      filterChain: null,
      status: null,
    });
    expect(steps(unknown, "filter-chain")).toStrictEqual([
      'rejected secure: SNI "other.example" is not secure.example.com',
    ]);
    expect(steps(explain(table, question({ ...https })), "filter-chain")).toStrictEqual([
      "rejected secure: the client sends no SNI; this chain wants secure.example.com",
    ]);
  });

  it("answers 421 to a host of another chain, never with its routes", () => {
    const answer = explain(
      tlsTable([open, secure]),
      question({ ...https, sni: "a.example", host: "secure.example.com" }),
    );
    expect(answer).toMatchObject({
      action: "reject",
      status: 421,
      error: null,
      filterChain: "open",
      routeConfig: null,
      virtualHost: null,
      cluster: null,
    });
    expect(steps(answer, "authority")[0]).toContain("the host belongs to filter chain secure");
  });

  it("answers 404 to a host of no chain", () => {
    const answer = explain(
      tlsTable([secure]),
      question({ ...https, sni: "secure.example.com", host: "nobody.example" }),
    );
    expect(answer).toMatchObject({ status: 404, error: "no-virtual-host" });
  });

  it("tells plaintext from missing TLS", () => {
    expect(explain(tlsTable([open]), question({ port: 443 }))).toMatchObject({
      error: "plaintext-on-tls",
      status: null,
    });
    expect(explain(tlsTable([open]), question({ port: 443, scheme: "tcp" }))).toMatchObject({
      error: "tls-required",
      status: null,
    });
  });

  it("tells of a missing server certificate and still answers where requests would go", () => {
    const missing = secret("kubernetes://default/cert", { status: "missing", reason: "no such Secret" });
    const answer = explain(tlsTable([open], [missing]), question({ ...https }));
    expect(answer.action).toBe("forward");
    expect(steps(answer, "server-certificate")[0]).toMatch(
      /^rejected kubernetes:\/\/default\/cert: it is missing: no such Secret\./,
    );
  });

  it("does not redirect what came over TLS", () => {
    const table = tlsTable([open]);
    const [config] = table.routeConfigs;
    const hosts = config!.virtualHosts.map((host) => ({ ...host, requireTls: true }));
    expect(
      explain({ ...table, routeConfigs: [{ ...config!, virtualHosts: hosts }] }, question({ ...https })).action,
    ).toBe("forward");
  });
});

describe("renderExplanation", () => {
  it("gives the answer first, then the reasons", () => {
    const routes = [
      route({ path: { kind: "prefix", value: "/delay", ignoreCase: false } }),
      route({}, { name: "status" }),
    ];
    expect(renderExplanation(explain(plainTable([virtualHost(["httpbin.example.com"], { routes })]), question({}))))
      .toMatchInlineSnapshot(`
        "forward to outbound|8000||httpbin.default.svc.cluster.local

          listener      0.0.0.0_80
          filter chain  http.80
          route config  http.80
          virtual host  httpbin.example.com:80
          route         status

        what happens
          timeout   none: an upstream may take as long as it likes
          retries   2 more attempts on connect-failure, refused-stream, unavailable, cancelled, retriable-status-codes; 25 ms to 250 ms apart; at another endpoint where there is one; Istio's default
          cluster   + outbound|8000||httpbin.default.svc.cluster.local  1 of 2 endpoints healthy
          balancer  the less busy of two endpoints drawn at random
          endpoint  + 10.0.0.0:80                                       ready, weight 1
                    - 10.0.0.1:80                                       not ready: it gets nothing, weight 1

        why
          listener      + 0.0.0.0_80              port 80, cleartext HTTP
          filter-chain  + http.80                 a cleartext listener has one chain
          virtual-host  + httpbin.example.com:80  host "httpbin.example.com" is covered by httpbin.example.com
          route         - #0                      path "/status/200" does not start with /delay
                        + status (#1)             path starts with /status
        "
      `);
  });

  it("names the error in words and by code", () => {
    const text = renderExplanation(explain(plainTable(), question({ host: "other.example" })));
    expect(text.split("\n")[0]).toBe("404 Not Found: no virtual host has this host (no-virtual-host)");
    expect(renderExplanation(explain({ ...plainTable(), listeners: [] }, question({})))).toContain(
      "refused: nothing listens on this port (no-listener)",
    );
  });

  it("lets no control sequence through to the terminal", () => {
    const table = plainTable([virtualHost(["\u001b[2Jevil"])]);
    const text = renderExplanation(explain(table, question({ host: "x\u001b]0;title\u0007\u202e", headers: [] })));
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});
