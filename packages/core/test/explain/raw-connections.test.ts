import { describe, expect, it } from "vitest";
import { type Explanation, explain, renderExplanation } from "../../src/explain/index.ts";
import { chain, cluster, httpbin, listener, question, rawChain, tlsTable } from "./tables.ts";

const two = [
  { cluster: httpbin, weight: 1 },
  { cluster: "outbound|1||gone", weight: 3 },
];

const nowhere = { route: null, routeConfig: null, virtualHost: null, status: null, location: null, error: null };

function steps(explanation: Explanation): string[] {
  return explanation.steps.map(({ stage, candidate, result, reason }) => `${stage} ${result} ${candidate}: ${reason}`);
}

describe("explain on a TCP listener", () => {
  const table = {
    listeners: [
      listener(9000, [rawChain("tcp.9000", [], two)], { transport: "tcp", acceptsProxyProtocol: true }),
      listener(9001, [], { transport: "tcp" }),
    ],
    routeConfigs: [],
    clusters: [cluster(httpbin)],
    secrets: [],
  } as const;

  it("answers with the clusters and no status, and names every candidate", () => {
    const answer = explain(table, question({ port: 9000, scheme: "tcp" }));
    expect(answer).toMatchObject({
      ...nowhere,
      action: "tcp",
      listener: "0.0.0.0_9000",
      filterChain: "tcp.9000",
      cluster: "outbound|1||gone",
      clusters: [
        { name: httpbin, weight: 1 },
        { name: "outbound|1||gone", weight: 3 },
      ],
    });
    expect(steps(answer)).toEqual([
      "listener matched 0.0.0.0_9000: port 9000, TCP, behind a PROXY protocol header",
      "listener rejected 0.0.0.0_9001: it listens on port 9001, not 9000",
      "filter-chain matched tcp.9000: a TCP listener has one chain; what a client sends is passed on unread",
      "route matched VirtualService default/db: its tcp rule made this chain",
      `cluster matched ${httpbin}: 1 of 2 endpoints healthy, 25 % of connections`,
      "policy matched balancer: the less busy of two endpoints drawn at random",
      "endpoint matched 10.0.0.0:80: ready, weight 1",
      "endpoint rejected 10.0.0.1:80: not ready: it gets nothing, weight 1",
      "cluster rejected outbound|1||gone: it does not exist: connections sent to it are closed, 75 % of connections",
    ]);
    expect(renderExplanation(answer)).toContain(`tcp to ${httpbin} (weight 1), outbound|1||gone (weight 3)\n`);
  });

  it("says the same whatever the client speaks", () => {
    for (const scheme of ["http", "https"] as const) {
      expect(explain(table, question({ port: 9000, scheme, path: "/\n" }))).toMatchObject({
        ...nowhere,
        action: "tcp",
      });
    }
  });

  it("closes what leads nowhere", () => {
    const answer = explain(table, question({ port: 9001, scheme: "tcp" }));
    expect(answer).toMatchObject({ action: "reject", error: "no-filter-chain", clusters: [] });
  });
});

describe("explain on a TLS listener that passes through", () => {
  const one = [{ cluster: httpbin, weight: 1 }];
  const table = tlsTable([
    rawChain("pass-a", ["a.example"], one),
    rawChain("pass-all", ["*.example"], two),
    chain("web", ["web.example"]),
  ]);
  const ask = (fields: Parameters<typeof question>[0]) =>
    explain(table, question({ port: 443, scheme: "https", ...fields }));

  it("chooses by SNI, and asks nothing of the request inside", () => {
    const answer = ask({ sni: "A.example.", host: "whatever", path: "/\n", clientCertificate: null });
    expect(answer).toMatchObject({ ...nowhere, action: "passthrough", filterChain: "pass-a", cluster: httpbin });
    expect(steps(answer).slice(1, 4)).toEqual([
      "filter-chain rejected pass-all: it covers the name with *.example, but another claims it more specifically",
      'filter-chain rejected web: SNI "a.example" is not web.example',
      'filter-chain matched pass-a: SNI "a.example" is covered by a.example',
    ]);
    expect(ask({ sni: "b.c.example" })).toMatchObject({ action: "passthrough", filterChain: "pass-all" });
  });

  it("takes raw TCP with a server name for a client that speaks TLS itself", () => {
    expect(ask({ scheme: "tcp", sni: "a.example" })).toMatchObject({ action: "passthrough", filterChain: "pass-a" });
    expect(ask({ scheme: "tcp", sni: "web.example" })).toMatchObject({ error: "no-filter-chain", filterChain: "web" });
    expect(ask({ scheme: "tcp" })).toMatchObject({ error: "tls-required", action: "reject" });
    expect(ask({ scheme: "http" })).toMatchObject({ error: "plaintext-on-tls", action: "reject" });
  });

  it("closes a connection of a name that no chain has", () => {
    expect(ask({ sni: "a.other" })).toMatchObject({ error: "no-filter-chain", action: "reject", clusters: [] });
    expect(ask({ sni: null })).toMatchObject({ error: "no-filter-chain", action: "reject" });
  });

  it("keeps the hosts of its chains from connections of other servers", () => {
    expect(ask({ sni: "web.example", host: "a.example" })).toMatchObject({ status: 421, action: "reject" });
  });
});

it("promises no affinity by what only a request has", () => {
  const balancers = [
    { kind: "ring-hash", key: { kind: "cookie", name: "sid", path: "", ttlMs: 0, attributes: [] }, size: 1024 },
    { kind: "maglev", key: { kind: "source-ip" }, size: 65_537 },
  ] as const;
  const told = balancers.map((balancer) => {
    const table = {
      listeners: [listener(9000, [rawChain("tcp.9000", [], two)], { transport: "tcp" })],
      routeConfigs: [],
      clusters: [{ ...cluster(httpbin), balancer }],
      secrets: [],
    };
    const answer = explain(table, question({ port: 9000, scheme: "tcp" }));
    return steps(answer).find((step) => step.startsWith("policy matched balancer"));
  });
  expect(told).toEqual([
    "policy matched balancer: an endpoint drawn at random: a raw connection has no cookie to hash",
    "policy matched balancer: Maglev hash of the client's address",
  ]);
});

describe("explain on a TLS listener whose chain hands on what is inside as TCP", () => {
  const raw = rawChain("tcp.db", ["db.example"], two);
  const { tls } = chain("", [], { mode: "MUTUAL" });
  const table = tlsTable([{ ...raw, tls }, chain("web", ["web.example"])]);
  const ask = (fields: Parameters<typeof question>[0]) => explain(table, question({ port: 443, ...fields }));

  it("asks for the client's certificate before it leads on", () => {
    const answer = ask({ scheme: "tcp", sni: "db.example" });
    expect(answer).toMatchObject({ ...nowhere, error: "client-certificate-required", action: "reject", clusters: [] });
    expect(steps(answer).at(-1)).toBe("client-certificate rejected (none): mode MUTUAL demands one");
  });

  it("leads to the clusters of its tcp rule, whatever is spoken inside", () => {
    const open = tlsTable([{ ...raw, tls: chain("", []).tls }]);
    for (const scheme of ["tcp", "https"] as const) {
      const answer = explain(open, question({ port: 443, scheme, sni: "db.example", host: "other", path: "/\n" }));
      expect(answer).toMatchObject({ ...nowhere, action: "tcp", filterChain: "tcp.db", cluster: "outbound|1||gone" });
      expect(steps(answer)).toContain("route matched VirtualService default/db: its tcp rule made this chain");
    }
  });

  it("keeps its host from connections of other servers", () => {
    const answer = ask({ scheme: "https", sni: "web.example", host: "db.example" });
    expect(answer).toMatchObject({ status: 421, action: "reject" });
  });
});
