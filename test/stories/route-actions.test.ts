// What rules do besides forwarding, as clients and backends see it: redirects, answers, rewrites, header operations, CORS, faults.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, service } from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { type EngineLane, engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { RecordingBackend } from "../support/recording-backend.ts";

const host = "app.example";

const backend = await RecordingBackend.start(() => ({ headers: { "x-inner": "secret", "x-kept": "1" } }));
afterAll(() => backend.close());

const destination = (name: string) => ({ host: name, port: { number: 8000 } });
const to = (name: string) => [{ destination: destination(name) }];
const under = (prefix: string) => [{ uri: { prefix } }];

const http = [
  { match: under("/moved/"), redirect: { uri: "/", redirectCode: 302 } },
  { match: under("/secure"), redirect: { scheme: "https", authority: "secure.example:8443" } },
  { match: under("/tea"), directResponse: { status: 418, body: { string: "short and stout" } } },
  { match: under("/api/"), rewrite: { uri: "/v2/", authority: "inner.example" }, route: to("app") },
  {
    match: under("/users/"),
    rewrite: { uriRegexRewrite: { match: "^/users/([^/]+)(/.*)?$", rewrite: String.raw`/u\2?id=\1` } },
    route: to("app"),
  },
  { match: under("/static"), rewrite: { uri: "/files/" }, route: to("app") },
  {
    match: under("/headers"),
    headers: {
      request: {
        set: { "x-client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "x-quoted": "%REQ(x-sent)%" },
        add: { "x-level": "route" },
        remove: ["x-removed"],
      },
      response: { set: { "x-route": "%ROUTE_NAME% %PROTOCOL%" }, remove: ["x-inner"] },
    },
    name: "with-headers",
    route: [
      {
        destination: destination("app"),
        headers: { request: { add: { "x-level": "destination" }, set: { "x-client": "overridden" } } },
      },
    ],
  },
  {
    match: under("/cors"),
    corsPolicy: {
      allowOrigins: [{ exact: "https://shop.example" }, { regex: String.raw`https://[a-z]+\.dev\.example` }],
      allowMethods: ["GET", "PUT"],
      allowHeaders: ["x-a"],
      exposeHeaders: ["x-kept"],
      maxAge: "24h",
      allowCredentials: true,
    },
    route: to("app"),
  },
  { match: under("/abort"), fault: { abort: { httpStatus: 555, percentage: { value: 30 } } }, route: to("app") },
  {
    match: under("/late-abort"),
    fault: {
      delay: { fixedDelay: "0.05s", percentage: { value: 100 } },
      abort: { httpStatus: 503, percentage: { value: 100 } },
    },
    route: to("app"),
  },
  { match: under("/delay"), fault: { delay: { fixedDelay: "0.3s", percentage: { value: 100 } } }, route: to("app") },
  { route: to("app") },
];

const config = documents(
  gatewayResource("web", [httpServer([host])]),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web" },
    spec: { hosts: [host], gateways: ["web"], http },
  },
  ...service("app", backend.port),
);

interface Way {
  readonly name: string;
  readonly lane: EngineLane;
  readonly curlArgs: readonly string[];
}

const ways = engineLanes.flatMap((lane): Way[] => [
  { name: `${lane.name}, HTTP/1.1`, lane, curlArgs: ["--http1.1"] },
  ...(lane.edge["engine"] === "node"
    ? [{ name: `${lane.name}, HTTP/2`, lane, curlArgs: ["--http2-prior-knowledge"] }]
    : []),
]);

const worlds = new Map<EngineLane, Gateway>();
beforeAll(async () => {
  for (const lane of engineLanes) {
    worlds.set(
      lane,
      await gateway({ config: { "web.yaml": config }, edge: { workers: 1, ...lane.edge }, ports: [80] }),
    );
  }
});
afterAll(async () => {
  for (const world of worlds.values()) await world[Symbol.asyncDispose]();
});

describe.each(ways)("$name", ({ lane, curlArgs }) => {
  const world = (): Gateway => {
    const found = worlds.get(lane);
    if (found === undefined) throw new Error("no world");
    return found;
  };
  const ask = (target: string, ...args: readonly string[]) =>
    curl(...curlArgs, "--path-as-is", "-H", `host: ${host}`, ...args, world().url(80, target));
  /** Sends a request to the backend and returns what came of it there. */
  async function received(target: string, ...args: readonly string[]) {
    const before = backend.requests.length;
    const answer = await ask(target, ...args);
    return { answer, requests: backend.requests.slice(before) };
  }

  test.each([
    ["/moved/x?a=1", 302, "http://app.example/?a=1"],
    ["/secure/x?a=1", 301, "https://secure.example:8443/secure/x?a=1"],
  ])("%s is redirected", async (target, status, location) => {
    const { answer, requests } = await received(target);
    expect(answer).toMatchObject({ status, headers: { location, server: "sluice" }, body: "" });
    expect(requests).toEqual([]);
  });

  test("a rule answers by itself, HEAD without the body", async () => {
    const answer = await ask("/tea");
    expect(answer).toMatchObject({ status: 418, body: "short and stout" });
    expect(answer.headers["content-type"]).toBe("text/plain");
    expect(answer.rawHead).toMatch(/^content-length: 15\r$/im);
    const head = await ask("/tea", "-I");
    expect(head).toMatchObject({ status: 418, body: "" });
    expect(head.rawHead).toMatch(/^content-length: 15\r$/im);
  });

  test("a rewritten request arrives rewritten, and tells what it was", async () => {
    const { requests } = await received("/api/a%20b?c=1");
    expect(requests).toMatchObject([
      {
        target: "/v2/a%20b?c=1",
        headers: {
          host: "inner.example",
          "x-envoy-original-path": "/api/a%20b?c=1",
          "x-envoy-original-host": host,
        },
      },
    ]);
    const { requests: byPattern } = await received("/users/42/orders?c=1");
    expect(byPattern.map(({ target }) => target)).toEqual(["/u/orders?id=42&c=1"]);
  });

  test.each(["/static../secret", "/static%2e%2e/secret"])(
    "%s does not climb out of what a rewrite leads to",
    async (target) => {
      const { answer, requests } = await received(target);
      expect(answer.status).toBe(400);
      expect(requests).toEqual([]);
    },
  );

  test("header operations are done most specific first, on both ways", async () => {
    const sent = ["-H", "x-removed: 1", "-H", "x-level: client", "-H", "x-sent: quoted"];
    const { answer, requests } = await received("/headers", ...sent);
    const { "x-removed": removed, ...headers } = requests[0]?.headers ?? {};
    expect(removed).toBe(undefined);
    // With one destination Istio joins its operations with the route's.
    expect(headers["x-level"]?.split("|").toSorted()).toEqual(["client", "destination", "route"]);
    expect(headers).toMatchObject({ "x-quoted": "quoted" });
    expect(answer.headers["x-inner"]).toBe(undefined);
    expect(answer.headers).toMatchObject({ "x-kept": "1", server: "sluice" });
    expect(answer.headers["x-route"]).toMatch(/^with-headers HTTP\//);
  });

  test("what a client writes is quoted as one value", async () => {
    const forged = "a%0d%0ax-admin: 1\\r\\nx-admin: 1";
    const { requests } = await received("/headers", "-H", `x-sent: ${forged}`);
    expect(requests[0]?.headers["x-quoted"]).toBe(forged);
    expect(requests[0]?.headers).not.toHaveProperty("x-admin");
  });

  test("a preflight is answered here, another origin's goes to the backend", async () => {
    const preflight = (origin: string) => [
      "-X",
      "OPTIONS",
      "-H",
      `origin: ${origin}`,
      "-H",
      "access-control-request-method: PUT",
    ];
    const { answer, requests } = await received("/cors", ...preflight("https://shop.example"));
    expect(requests).toEqual([]);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "https://shop.example",
      "access-control-allow-methods": "GET,PUT",
      "access-control-allow-headers": "x-a",
      "access-control-max-age": "86400",
      "access-control-allow-credentials": "true",
    });
    const other = await received("/cors", ...preflight("https://evil.example"));
    expect(other.requests.length).toBe(1);
    expect(other.answer.headers["access-control-allow-origin"]).toBe(undefined);
  });

  test("an allowed origin may read the answer", async () => {
    const answer = await ask("/cors", "-H", "origin: https://a.dev.example");
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "https://a.dev.example",
      "access-control-expose-headers": "x-kept",
    });
    expect((await ask("/cors", "-H", "origin: https://evil.example")).rawHead).not.toContain("access-control");
  });

  // curl 7.88 cannot use a connection twice that it began with prior knowledge.
  const keepsConnections = curlArgs.includes("--http1.1");
  test.runIf(keepsConnections)("a request aborted after its delay leaves its connection fit for the next", async () => {
    const twice = [world().url(80, "/late-abort"), world().url(80, "/late-abort")];
    const answers = await curl(...curlArgs, "-H", `host: ${host}`, "-d", "body", "-w", "%{num_connects}\\n", ...twice);
    expect(answers.code).toBe(0);
    expect(answers.rawHead.match(/^HTTP\S+ 503/gm)).toHaveLength(1);
    expect(answers.body).toContain("fault filter abort");
    // The second one needed no new connection.
    expect(answers.body).toMatch(/0\n$/);
  });

  test("a delay is waited for, with the body behind it, and logged", async () => {
    const logged = world().edge.stdout.next((line) => line.includes("/delay"));
    const startedAt = performance.now();
    const { answer, requests } = await received("/delay", "-d", "body");
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(answer.status).toBe(200);
    expect(requests).toMatchObject([{ body: "body" }]);
    expect(await logged).toMatch(/ 200 DI via_upstream /);
  });
});

describe.each(engineLanes)("$name", (lane) => {
  test("of 400 requests the fault takes its share, and nothing of those reaches the backend", async () => {
    const world = worlds.get(lane);
    if (world === undefined) throw new Error("no world");
    const before = backend.requests.length;
    const urls = Array.from({ length: 400 }, () => world.url(80, "/abort"));
    const answer = await curl("-H", `host: ${host}`, "-o", "/dev/null", "-w", "%{http_code}\\n", ...urls);
    const codes = answer.body.concat(answer.rawHead).match(/\d{3}(?=\n)/g) ?? [];
    const aborted = codes.filter((code) => code === "555").length;
    // Six standard deviations (9.2 each) around 120.
    expect(aborted).toBeGreaterThan(65);
    expect(aborted).toBeLessThan(175);
    expect(backend.requests.length - before).toBe(400 - aborted);
    expect(await world.metrics()).toMatch(/istio_requests_total\{[^}]*response_code="555",response_flags="FI"/);
  });
});
