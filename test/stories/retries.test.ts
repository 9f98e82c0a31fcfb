// Retries as backends see them: which requests come again, with which body, how often, and what clients and operators are told.
import { once } from "node:events";
import { get } from "node:http";
import type { AddressInfo } from "node:net";
import { ChannelCredentials, Client, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { destinationRule, documents, gatewayResource, httpServer, service, serviceOn } from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { GrpcBackend, GrpcClient } from "../support/grpc-backend.ts";
import { RecordingBackend } from "../support/recording-backend.ts";

const host = "app.example";

/** Targets end in what is to happen: `busy-2` fails twice, `silent-1` says nothing once. Below /held only first attempts get an answer. */
const backend = await RecordingBackend.start(({ target }, count) => {
  if (target.startsWith("/held")) return count === 1 ? { status: 503 } : null;
  const [, kind = "", times = "0"] = /(busy|silent)-(\d+)/.exec(target) ?? [];
  if (count > Number(times)) return { body: `attempt ${count}` };
  return kind === "silent" ? null : { status: 503, body: "busy" };
});
const grpc = await GrpcBackend.start(["story.Echo"]);
const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
await once(sockets, "listening");
const deadPort = await freePort();
afterAll(async () => {
  grpc.close();
  sockets.close();
  await backend.close();
});

const to = (name: string, port = 8000) => [{ destination: { host: name, port: { number: port } } }];
const rule = (prefix: string, rest: Readonly<Record<string, unknown>>) => ({
  match: [{ uri: { prefix } }],
  route: to("app"),
  ...rest,
});

const http = [
  rule("/thrice", { retries: { attempts: 2, retryOn: "5xx", backoff: "1ms" } }),
  rule("/status", { retries: { attempts: 1, retryOn: "503", backoff: "1ms" } }),
  rule("/slow", { retries: { attempts: 2, retryOn: "reset", perTryTimeout: "100ms", backoff: "1ms" } }),
  rule("/timed", { timeout: "0.2s", retries: { attempts: 50, retryOn: "5xx", backoff: "30ms" } }),
  rule("/never", { retries: { attempts: 0 } }),
  rule("/held", { route: to("limited"), retries: { attempts: 1, retryOn: "5xx", backoff: "1ms" } }),
  rule("/half-dead", { route: to("half-dead") }),
  rule("/sockets", { route: to("sockets") }),
  rule("/late-sockets", {
    route: to("sockets"),
    fault: { delay: { fixedDelay: "0.1s", percentage: { value: 100 } } },
  }),
  rule("/dead", { route: to("dead"), retries: { attempts: 3, retryOn: "connect-failure", backoff: "1ms" } }),
  rule("/story.Echo/", { route: to("grpc", 9000) }),
  { route: to("app") },
];

const config = documents(
  gatewayResource("web", [httpServer([host])]),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web" },
    spec: { hosts: ["*"], gateways: ["web"], http },
  },
  ...service("app", backend.port),
  ...service("limited", backend.port),
  destinationRule("limited", { connectionPool: { http: { maxRetries: 1 } } }),
  ...service("half-dead", deadPort, backend.port),
  ...service("sockets", deadPort, (sockets.address() as AddressInfo).port),
  ...service("dead", deadPort),
  ...serviceOn("grpc", { name: "grpc", port: 9000 }, [grpc.port]),
);

describe.each(engineLanes)("$name", (lane) => {
  let world: Gateway;
  beforeAll(async () => {
    const edge = { workers: 1, ...lane.edge, limits: { retryBufferBytes: 120_000 } };
    world = await gateway({ config: { "web.yaml": config }, edge, ports: [80] });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const ask = (target: string, ...args: readonly string[]) =>
    curl("-H", `host: ${host}`, ...args, world.url(80, target));
  const counts = (target: string) => backend.of(target).map(({ headers }) => headers["x-envoy-attempt-count"]);
  /** Told apart from the other lane's. */
  const named = (target: string) => `${target}?${lane.expected}-${lane.name.replaceAll(" ", "-")}`;

  test("a failing backend is asked again, with the same body, until it answers", async () => {
    const target = named("/thrice/busy-2");
    const body = "0123456789".repeat(12_000);
    const answer = await ask(target, "-H", "expect:", "-H", "content-type: text/plain", "--data-binary", body);
    expect(answer).toMatchObject({ status: 200, body: "attempt 3" });
    expect(counts(target)).toEqual(["1", "2", "3"]);
    expect(backend.of(target).map((request) => request.body === body)).toEqual([true, true, true]);
  });

  test("not oftener than it may be, and the log and the metrics say so", async () => {
    const target = named("/thrice/busy-9");
    const logged = world.edge.stdout.next((line) => line.includes("busy-9"));
    expect(await ask(target)).toMatchObject({ status: 503, body: "busy" });
    expect(counts(target)).toEqual(["1", "2", "3"]);
    expect(await logged).toMatch(/ 503 URX via_upstream /);
    const metrics = await world.metrics();
    expect(metrics).toMatch(/istio_requests_total\{[^}]*response_flags="URX"/);
    expect(metrics).toMatch(/sluice_upstream_retries_total\{cluster="outbound\|8000\|\|app[^}]*\} [1-9]/);
    expect(metrics).toMatch(/sluice_upstream_retries_given_up_total\{[^}]*reason="limit"\} [1-9]/);
  });

  test("a cluster with as many retries under way as it allows gets no more, until one is over", async () => {
    const retrying = (target: string) => {
      const request = get(world.url(80, target), { headers: { host } }).on("error", () => undefined);
      return eventually("the retry", () => (backend.of(target).length === 2 ? request : null));
    };
    const first = await retrying(named("/held/first"));
    const second = named("/held/second");
    const logged = world.edge.stdout.next((line) => line.includes("/held/second"));
    expect((await ask(second)).status).toBe(503);
    expect(counts(second)).toEqual(["1"]);
    expect(await logged).toMatch(/ 503 UO via_upstream /);
    const gone = world.edge.stdout.next((line) => line.includes("/held/first"));
    first.destroy();
    await gone;
    (await retrying(named("/held/third"))).destroy();
  });

  test("a body longer than is kept is sent once", async () => {
    const target = named("/thrice/busy-1-long");
    const answer = await ask(target, "-H", "expect:", "--data-binary", "x".repeat(130_000));
    expect(answer.status).toBe(503);
    expect(counts(target)).toEqual(["1"]);
  });

  test("a status that is named is retried", async () => {
    const target = named("/status/busy-1");
    expect((await ask(target)).status).toBe(200);
    expect(counts(target)).toEqual(["1", "2"]);
  });

  test("by default a 503 is the backend's answer, and with no attempts as well", async () => {
    for (const target of [named("/plain/busy-1"), named("/never/busy-1")]) {
      expect((await ask(target)).status).toBe(503);
      expect(counts(target)).toEqual(["1"]);
    }
  });

  test("an attempt that takes too long is given up for another", async () => {
    const target = named("/slow/silent-2");
    expect(await ask(target)).toMatchObject({ status: 200, body: "attempt 3" });
    const silent = named("/slow/silent-9");
    const logged = world.edge.stdout.next((line) => line.includes("silent-9"));
    expect((await ask(silent)).status).toBe(504);
    expect(await logged).toMatch(/ 504 UT,URX upstream_per_try_timeout /);
  });

  test("the rule's timeout covers all attempts", async () => {
    const target = named("/timed/busy-99");
    const logged = world.edge.stdout.next((line) => line.includes("busy-99"));
    expect((await ask(target)).status).toBe(504);
    expect(await logged).toMatch(/ 504 UT response_timeout /);
    expect(backend.of(target).length).toBeGreaterThan(1);
  });

  test("by default a dead endpoint costs nobody a request, not even a POST", async () => {
    const urls = Array.from({ length: 30 }, (_, index) => world.url(80, named(`/half-dead/${index}`)));
    const answer = await curl("-H", `host: ${host}`, "-d", "body", "-o", "/dev/null", "-w", "%{http_code}\\n", ...urls);
    expect((answer.body + answer.rawHead).match(/\d{3}(?=\n)/g)).toEqual(urls.map(() => "200"));
  });

  test("where every endpoint is dead the client is told after the last attempt", async () => {
    const logged = world.edge.stdout.next((line) => line.includes("/dead"));
    expect((await ask("/dead")).status).toBe(503);
    expect(await logged).toMatch(/ 503 UF,URX upstream_reset_before_response_started\{connection_failure\} /);
  });

  test.each([
    ["nor a WebSocket", "/sockets"],
    ["nor one that is delayed", "/late-sockets"],
  ])("%s", async (_name, path) => {
    for (let i = 0; i < 6; i++) {
      const socket = new WebSocket(`ws://127.0.0.1:${world.port(80)}${path}`, { headers: { host } });
      await once(socket, "open");
      socket.send("hello");
      const [message] = (await once(socket, "message")) as [Buffer];
      expect(message.toString()).toBe("hello");
      socket.terminate();
    }
  });

  const speaksGrpc = lane.edge["engine"] === "node";
  test.runIf(speaksGrpc)(
    "a gRPC call that is UNAVAILABLE is made again by default, another failure is not",
    async () => {
      const client = new GrpcClient(
        new Client(`127.0.0.1:${world.port(80)}`, ChannelCredentials.createInsecure(), {
          "grpc.default_authority": host,
        }),
        "story.Echo",
      );
      try {
        const first = grpc.next("Unary");
        const call = client.unary(Buffer.from("hello"));
        const [, refuse] = await first;
        const second = grpc.next("Unary");
        refuse({ code: status.UNAVAILABLE });
        const [{ request, metadata }, reply] = await second;
        expect(request.toString()).toBe("hello");
        expect(metadata.get("x-envoy-attempt-count")).toEqual(["2"]);
        reply(null, Buffer.from("at last"));
        expect((await call.outcome).message?.toString()).toBe("at last");

        const next = grpc.next("Unary");
        const failing = client.unary(Buffer.from("hello"));
        const [, deny] = await next;
        deny({ code: status.PERMISSION_DENIED });
        expect((await failing.outcome).error?.code).toBe(status.PERMISSION_DENIED);
      } finally {
        client.client.close();
      }
    },
  );
});
