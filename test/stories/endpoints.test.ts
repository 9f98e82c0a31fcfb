// Which endpoint a request goes to, and which it does not: everything configured as a user would and told by the backends that answered.
// Every request is on a connection of its own, so any of the two workers may take it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  destinationRule,
  documents,
  type EntryEndpoint,
  gatewayResource,
  httpServer,
  serviceEntry,
  virtualService,
} from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { DnsServer } from "../support/dns-server.ts";
import { eventually } from "../support/eventually.ts";
import { readExposition } from "../support/exposition.ts";
import { type Gateway, gateway, type GatewayOptions } from "../support/gateway.ts";
import { askFor, NamedBackend } from "../support/named-backends.ts";

type Json = Readonly<Record<string, unknown>>;

const directory = await mkdtemp(join(tmpdir(), "sluice-endpoints-"));
const dns = await DnsServer.listen();
const [a, b, c, d] = await Promise.all(["a", "b", "c", "d"].map((name) => NamedBackend.start(name)));
if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("unreachable");
const moving = await NamedBackend.start("first-address");
const moved = await NamedBackend.start("second-address", { host: "127.0.0.2", port: moving.port });
const onSocket = await NamedBackend.start("socket", { path: join(directory, "app.sock") });
/** Of backends that only some stories may make ill. */
const [sick, near] = await Promise.all(["sick", "near"].map((name) => NamedBackend.start(name)));
if (sick === undefined || near === undefined) throw new Error("unreachable");

const four = [a, b, c, d].map(({ port }) => ({ port }));
const hashed = (consistentHash: Json) => ({ loadBalancer: { consistentHash } });
const ejecting = (rest: Json) => ({
  outlierDetection: {
    consecutive5xxErrors: 3,
    interval: "0.2s",
    baseEjectionTime: "0.3s",
    maxEjectionPercent: 50,
    ...rest,
  },
});

interface Destination {
  readonly endpoints: readonly EntryEndpoint[];
  readonly resolution?: string;
  readonly policy?: Json;
  readonly subsets?: readonly Json[];
}

const destinations: Readonly<Record<string, Destination>> = {
  "by-header": { endpoints: four, policy: hashed({ httpHeaderName: "X-User", maglev: { tableSize: 65_537 } }) },
  "by-query": { endpoints: four, policy: hashed({ httpQueryParameterName: "user" }) },
  "by-address": { endpoints: four, policy: hashed({ useSourceIp: true }) },
  "by-cookie": { endpoints: four, policy: hashed({ httpCookie: { name: "stick", path: "/", ttl: "60s" } }) },
  ejecting: { endpoints: [{ port: a.port }, { port: sick.port }], policy: ejecting({}) },
  failover: {
    endpoints: [
      { port: near.port, locality: "eu/a/1" },
      { port: b.port, locality: "us/a/1" },
    ],
    policy: ejecting({ consecutive5xxErrors: 1, baseEjectionTime: "0.5s", maxEjectionPercent: 100 }),
  },
  turns: {
    endpoints: [{ port: a.port, weight: 3 }, { port: b.port }],
    policy: { loadBalancer: { simple: "ROUND_ROBIN" } },
  },
  warming: { endpoints: [{ port: a.port }, { port: b.port }] },
  socket: { endpoints: [{ address: `unix://${join(directory, "app.sock")}` }] },
  named: { endpoints: [{ address: "moving.test", port: moving.port }], resolution: "DNS" },
  "named-in-turn": { endpoints: [{ address: "both.test", port: moving.port }], resolution: "DNS_ROUND_ROBIN" },
  versions: {
    endpoints: [
      { port: a.port, labels: { version: "v1" } },
      { port: b.port, labels: { version: "v2" } },
    ],
    policy: { loadBalancer: { simple: "RANDOM" } },
    subsets: [{ name: "next", labels: { version: "v2" } }],
  },
};

const hostOf = (name: string) => `${name}.example`;

function destinationDocuments(name: string, { endpoints, resolution, policy, subsets }: Destination): Json[] {
  const host = hostOf(name);
  return [
    serviceEntry(host, endpoints, resolution),
    virtualService(name, { hosts: [host], gateways: ["main"], destination: host }),
    ...(policy === undefined ? [] : [destinationRule(host, policy, subsets)]),
  ];
}

const options: GatewayOptions = {
  config: {
    "gateway.yaml": documents(gatewayResource("main", [httpServer(["*"])])),
    ...Object.fromEntries(
      Object.entries(destinations).map(([name, destination]) => [
        `${name}.yaml`,
        documents(...destinationDocuments(name, destination)),
      ]),
    ),
    "next.yaml": documents({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "next" },
      spec: {
        hosts: ["next.example"],
        gateways: ["main"],
        http: [{ route: [{ destination: { host: hostOf("versions"), subset: "next", port: { number: 8000 } } }] }],
      },
    }),
  },
  edge: { dns: { servers: [dns.address], minTtlSeconds: 0.05, maxTtlSeconds: 0.1 } },
  node: { locality: "eu/a/1" },
};

let world: Gateway;

beforeAll(async () => {
  dns.names.set("moving.test", { addresses: ["127.0.0.1"], ttlSeconds: 0 });
  dns.names.set("both.test", { addresses: ["127.0.0.1", "127.0.0.2"], ttlSeconds: 0 });
  world = await gateway(options);
}, 60_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  for (const backend of [a, b, c, d, moving, moved, onSocket, sick, near]) await backend[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** The backends that answer `count` requests, one after the other. */
async function answerers(name: string, count: number, request: Parameters<typeof askFor>[2] = {}): Promise<string[]> {
  const seen: string[] = [];
  for (let i = 0; i < count; i++) seen.push((await askFor(world.port(80), hostOf(name), request)).backend);
  return seen;
}

const users = Array.from({ length: 16 }, (_, index) => `user-${index}`);

/** Each user's backend, by a request that names the user. Fails when a second request goes elsewhere. */
async function placesOf(at: Gateway): Promise<Record<string, string>> {
  const places: Record<string, string> = {};
  for (let round = 0; round < 3; round++) {
    for (const user of users) {
      const { backend } = await askFor(at.port(80), hostOf("by-header"), { headers: { "x-user": user } });
      expect(places[user] ?? backend).toBe(backend);
      places[user] = backend;
    }
  }
  return places;
}

describe("consistent hashing", () => {
  test("leads a user to one backend whichever worker asks, also after a restart", async () => {
    const places = await placesOf(world);
    expect(new Set(Object.values(places)).size).toBeGreaterThan(1);
    await using another = await gateway(options);
    expect(await placesOf(another)).toEqual(places);
  }, 60_000);

  test("works by query parameter and by the client's address", async () => {
    expect(new Set(await answerers("by-query", 8, { path: "/?x=1&user=ann" })).size).toBe(1);
    expect(new Set(await answerers("by-address", 8)).size).toBe(1);
  });

  test("spreads requests without the key", async () => {
    expect(new Set(await answerers("by-header", 40)).size).toBe(4);
  });

  test("gives a client without the cookie one, and then knows it by that", async () => {
    const url = `http://${hostOf("by-cookie")}/`;
    const jar = join(directory, "jar");
    const toGateway = ["--connect-to", `::127.0.0.1:${world.port(80)}`, "-c", jar, "-b", jar, url];
    const first = await curl(...toGateway);
    expect(first.headers["set-cookie"]).toMatch(/^stick="[0-9a-f]{16}"; Max-Age=60; Path=\/; HttpOnly$/);
    for (let i = 0; i < 6; i++) {
      const next = await curl(...toGateway);
      expect([next.body, next.headers["set-cookie"]]).toEqual([first.body, undefined]);
    }
    const strangers = new Set<string>();
    for (let i = 0; i < 30; i++) {
      strangers.add((await askFor(world.port(80), hostOf("by-cookie"))).backend);
    }
    expect(strangers.size).toBeGreaterThan(1);
  });
});

test("a backend that fails is ejected by who saw it fail, told to operators, and comes back when it is well", async () => {
  sick.status = 503;
  const ejected = world.edge.stderr.nextJson<{ msg: string; endpoint: string; cluster: string; worker: number }>(
    ({ msg }) => msg.startsWith("endpoint ejected"),
  );
  const endpoint = `127.0.0.1:${sick.port}`;
  const cluster = `outbound|8000||${hostOf("ejecting")}`;
  let isEjected = false;
  const told = ejected.then((line) => {
    isEjected = true;
    return line;
  });
  while (!isEjected) await answerers("ejecting", 4);
  expect(await told).toMatchObject({ endpoint, cluster, reason: "consecutive-5xx", ejectedMs: 300 });
  const scrape = readExposition(await world.metrics());
  expect(scrape.select("sluice_upstream_ejections_total", { cluster })[0]?.value).toBeGreaterThan(0);
  // Ejected ever longer while it stays ill: from some time on everybody is answered by the other.
  await eventually("both workers have ejected it", async () => {
    const clusters = (await (await fetch(`${world.ready.admin}/clusters`)).json()) as Record<
      string,
      { address: string; ejectedBy: { worker: number; reason: string }[] }[]
    >;
    const row = clusters[cluster]?.find(({ address }) => address === endpoint);
    if (row?.ejectedBy.length === 2) return row;
    await answerers("ejecting", 12);
    return null;
  });
  sick.status = 200;
  await eventually("it is asked again", async () => ((await answerers("ejecting", 4)).includes("sick") ? true : null));
}, 60_000);

test("requests go to the nearest locality, to the next one while it is ejected, and back", async () => {
  expect(new Set(await answerers("failover", 8))).toEqual(new Set(["near"]));
  near.status = 500;
  await eventually("the other region answers", async () =>
    (await answerers("failover", 4)).every((backend) => backend === "b") ? true : null,
  );
  near.status = 200;
  await eventually("the nearest answers again", async () =>
    (await answerers("failover", 4)).every((backend) => backend === "near") ? true : null,
  );
}, 60_000);

test("ROUND_ROBIN gives turns by weight", async () => {
  const seen = await answerers("turns", 64);
  // Two workers, each in turn: they may both be in the middle of a round.
  expect(Math.abs(seen.filter((backend) => backend === "a").length - 48)).toBeLessThanOrEqual(2);
});

test("a backend that has just come gets its share slowly", async () => {
  const warmup = { duration: "3600s", minimumPercent: 0 };
  const policy = { loadBalancer: { simple: "ROUND_ROBIN", warmup } };
  const withPolicy = (endpoints: readonly EntryEndpoint[]) => ({
    "warming.yaml": documents(...destinationDocuments("warming", { endpoints, policy })),
  });
  await world.reload(withPolicy([{ port: a.port }, { port: b.port }, { port: c.port }]));
  const all = await answerers("warming", 60);
  // The others are seconds ahead of it on their way, and so many times as heavy.
  expect(all.filter((backend) => backend === "c").length).toBeLessThan(12);
  expect(new Set(all).size).toBeGreaterThan(1);
}, 60_000);

test("a Unix socket is an endpoint like any other", async () => {
  expect(await answerers("socket", 2)).toEqual(["socket", "socket"]);
});

test("a name that moves is followed as soon as its answer is old, and an outage of DNS moves nothing", async () => {
  expect(new Set(await answerers("named", 4))).toEqual(new Set(["first-address"]));
  dns.names.set("moving.test", { addresses: ["127.0.0.2"], ttlSeconds: 0 });
  await eventually("both workers follow", async () =>
    (await answerers("named", 8)).every((backend) => backend === "second-address") ? true : null,
  );
  dns.mood = "failing";
  for (let asked = 0; asked < 4; asked++) await dns.nextQuestion();
  expect(new Set(await answerers("named", 8))).toEqual(new Set(["second-address"]));
  dns.mood = "answering";
}, 60_000);

test("a DNS_ROUND_ROBIN name is one endpoint, whose new connections take its addresses in turn", async () => {
  const ask = () => askFor(world.port(80), hostOf("named-in-turn"));
  const seen = await Promise.all(Array.from({ length: 24 }, ask));
  expect(new Set(seen.map(({ backend }) => backend))).toEqual(new Set(["first-address", "second-address"]));
});

test("a subset is its own endpoints with the policy of all", async () => {
  expect(new Set(await answerers("versions", 24))).toEqual(new Set(["a", "b"]));
  expect(new Set(await answerers("next", 12))).toEqual(new Set(["b"]));
});
