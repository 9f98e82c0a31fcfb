// Mirrors: copies arrive, and whatever the mirror does the client does not notice.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, service } from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { eventually } from "../support/eventually.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { RecordingBackend } from "../support/recording-backend.ts";

const host = "app.example";
const backend = await RecordingBackend.start();
const mirror = await RecordingBackend.start(({ target }) =>
  target.startsWith("/silent") ? null : { status: 500, body: "from the mirror" },
);
const second = await RecordingBackend.start();
afterAll(() => Promise.all([backend.close(), mirror.close(), second.close()]));

const destination = (name: string) => ({ host: name, port: { number: 8000 } });
const route = [{ destination: destination("app") }];
const under = (prefix: string) => [{ uri: { prefix } }];

const config = documents(
  gatewayResource("web", [httpServer([host])]),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web" },
    spec: {
      hosts: [host],
      gateways: ["web"],
      http: [
        {
          match: under("/half"),
          route,
          mirrors: [{ destination: destination("mirror"), percentage: { value: 50 } }],
        },
        {
          match: under("/both"),
          route,
          rewrite: { uri: "/rewritten" },
          mirrors: [{ destination: destination("mirror") }, { destination: destination("second") }],
        },
        { match: under("/gone"), route, mirror: destination("gone") },
        { route, mirror: destination("mirror") },
      ],
    },
  },
  ...service("app", backend.port),
  ...service("mirror", mirror.port),
  ...service("second", second.port),
  ...service("gone"),
);

describe.each(engineLanes)("$name", (lane) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await gateway({ config: { "web.yaml": config }, edge: { workers: 1, ...lane.edge }, ports: [80] });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const ask = (target: string, ...args: readonly string[]) =>
    curl("-H", `host: ${host}`, ...args, world.url(80, target));
  const named = (target: string) => `${target}?${lane.name.replaceAll(" ", "-")}`;

  test("the copy is the request, head and body, and its answer is nobody's", async () => {
    const target = named("/copied");
    const body = "0123456789".repeat(12_000);
    const answer = await ask(target, "-H", "expect:", "-H", "x-a: 1", "--data-binary", body);
    expect(answer).toMatchObject({ status: 200, body: "ok" });
    const copy = await eventually("the copy", () => mirror.of(target)[0] ?? null);
    expect(copy).toEqual(backend.of(target)[0]);
    expect(copy.body.length).toBe(body.length);
  });

  test("every mirror of a rule gets one, rewritten as the request is", async () => {
    expect((await ask(named("/both"))).status).toBe(200);
    const target = named("/rewritten");
    await eventually("the copies", () => (mirror.of(target)[0] && second.of(target)[0]) ?? null);
  });

  test("of 200 requests half are copied", async () => {
    const target = named("/half");
    const urls = Array.from({ length: 200 }, () => world.url(80, target));
    await curl("-H", `host: ${host}`, ...urls);
    expect(backend.of(target).length).toBe(200);
    const count = await eventually("most of the copies", () => {
      const { length } = mirror.of(target);
      return length > 55 ? length : null;
    });
    // Six standard deviations (7.1 each) around 100.
    expect(count).toBeLessThan(145);
  });

  test("a mirror that never answers, or is not there, slows nobody down", async () => {
    const silent = Array.from({ length: 50 }, () => world.url(80, named("/silent")));
    expect((await curl("-H", `host: ${host}`, ...silent)).code).toBe(0);
    expect((await ask(named("/gone"))).status).toBe(200);
    await eventually("the copies", () => (mirror.of(named("/silent")).length === 50 ? true : null));
    expect(await world.metrics()).toMatch(/sluice_mirrored_requests_total\{[^}]*result="failed"\} [1-9]/);
  });
});
