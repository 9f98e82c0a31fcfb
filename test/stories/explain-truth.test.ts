// What `sluice explain` says a request meets is what the request meets: one table of questions, asked of explain and sent with curl.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, httpsServer, service } from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { type EngineLane, engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { RecordingBackend } from "../support/recording-backend.ts";

const host = "app.example";
const backend = await RecordingBackend.start();
afterAll(() => backend.close());

const route = [{ destination: { host: "app", port: { number: 8000 } } }];
const under = (prefix: string) => [{ uri: { prefix } }];
const exactly = (exact: string) => [{ uri: { exact } }];
const like = (regex: string) => [{ uri: { regex } }];

const http = [
  { match: under("/to-uri"), redirect: { uri: "/new" } },
  { match: under("/to-query"), redirect: { uri: "/new?own=1", redirectCode: 303 } },
  { match: under("/to-host"), redirect: { authority: "b.example", redirectCode: 302 } },
  { match: under("/to-https"), redirect: { scheme: "https" } },
  { match: under("/to-port"), redirect: { port: 8443, scheme: "https", redirectCode: 307 } },
  { match: under("/to-same-port"), redirect: { derivePort: "FROM_REQUEST_PORT", authority: "c.example" } },
  { match: under("/to-default-port"), redirect: { derivePort: "FROM_PROTOCOL_DEFAULT", scheme: "https", uri: "/d" } },
  { match: under("/to-prefix"), redirect: { prefixRewrite: "/p/", redirectCode: 308 } },
  { match: under("/to-root/"), redirect: { prefixRewrite: "/", authority: "b.example" } },
  { match: under("/say-nothing"), directResponse: { status: 204 } },
  { match: under("/say-tea"), directResponse: { status: 418, body: { string: "tea" } } },
  { match: under("/strip"), rewrite: { uri: "/" }, route },
  { match: under("/own-query"), rewrite: { uri: "/q?own=1" }, route },
  { match: exactly("/exact"), rewrite: { uri: "/whole" }, route },
  { match: like("/like/.*"), rewrite: { uri: "/whole" }, route },
  {
    match: under("/users/"),
    rewrite: {
      uriRegexRewrite: { match: "^/users/([^/]+)(/.*)?$", rewrite: String.raw`/u\2?id=\1` },
      authority: "in.example",
    },
    route,
  },
  { match: under("/files"), rewrite: { uri: "/static/" }, route },
  { match: [{ uri: { prefix: "/ANY" }, ignoreUriCase: true }], rewrite: { uri: "/none" }, route },
  { match: under("/plain"), route },
];

const config = documents(
  gatewayResource("web", [
    httpServer([host]),
    httpServer(["secure.example"], { name: "http-secure", tls: { httpsRedirect: true } }),
    httpsServer(["secure.example"], { mode: "SIMPLE", credentialName: "none" }),
  ]),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web" },
    spec: { hosts: [host], gateways: ["web"], http },
  },
  ...service("app", backend.port),
);

const questions: readonly (readonly [host: string, target: string])[] = [
  [host, "/to-uri/x?a=1"],
  [host, "/to-uri/x"],
  [`${host}:80`, "/to-query?a=1"],
  [`${host}:80`, "/to-host/x?a=1"],
  [`${host}:80`, "/to-https/x"],
  [`${host}:8080`, "/to-https/x"],
  [`${host}:80`, "/to-port"],
  [host, "/to-same-port"],
  [`${host}:80`, "/to-default-port"],
  [host, "/to-prefix/x?a=1"],
  [host, "/to-prefixed"],
  [host, "/to-root/x/../y"],
  [host, "/say-nothing"],
  [host, "/say-tea?a"],
  [host, "/strip/x?a=1"],
  [host, "/strip"],
  [host, "/own-query?a=1"],
  [host, "/own-query/x"],
  [host, "/exact?a"],
  [host, "/like/any?a=1"],
  [host, "/users/7/cart?a=1"],
  [host, "/users/7"],
  [host, "/files../secret"],
  [host, "/any/x"],
  [host, "/plain/%7Ex/./y?a"],
  [host, "/plain/%00"],
  [host, "/nowhere"],
  ["other.example", "/"],
  ["secure.example", "/x?a=1"],
  ["secure.example:80", "/x"],
  ["secure.example:8080", "/x"],
];

/** What came of a request, in the words that both can say. */
interface Answer {
  readonly status: number | null;
  readonly location: string | null;
  /** The target that the backend gets; null where it gets none. */
  readonly target: string | null;
}

interface Explained {
  readonly action: string;
  readonly status: number | null;
  readonly location: string | null;
  readonly steps: readonly { readonly stage: string; readonly candidate: string; readonly reason: string }[];
}

async function explained(world: Gateway, asked: { readonly host: string; readonly target: string }): Promise<Answer> {
  const body = JSON.stringify({ port: 80, host: asked.host, path: asked.target, scheme: "http" });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${world.ready.ctrl}/v1/explain`, { method: "POST", headers, body });
  const { action, status, location, steps } = (await response.json()) as Explained;
  const rewrite = steps.find(({ stage, candidate }) => stage === "policy" && candidate === "rewrite")?.reason;
  const written = rewrite === undefined ? undefined : / becomes "(.*?)"/.exec(rewrite)?.[1];
  return { status, location, target: action === "forward" ? (written ?? "(as it came)") : null };
}

async function sent(world: Gateway, asked: { readonly host: string; readonly target: string }): Promise<Answer> {
  const before = backend.requests.length;
  const answer = await curl("--path-as-is", "-H", `host: ${asked.host}`, world.url(80, asked.target));
  const [received] = backend.requests.slice(before);
  const isRewritten = received?.headers["x-envoy-original-path"] !== undefined;
  return {
    status: received === undefined ? answer.status : null,
    location: answer.headers["location"] ?? null,
    target: received === undefined ? null : isRewritten ? received.target : "(as it came)",
  };
}

const worlds = new Map<EngineLane, Gateway>();
beforeAll(async () => {
  for (const lane of engineLanes) {
    const edge = { workers: 1, ...lane.edge };
    worlds.set(lane, await gateway({ config: { "web.yaml": config }, edge, ports: [80, 443] }));
  }
});
afterAll(async () => {
  for (const world of worlds.values()) await world[Symbol.asyncDispose]();
});

describe.each(engineLanes)("$name", (lane) => {
  test.each(questions)("explain and the edge agree on %s %s", async (asked, target) => {
    const world = worlds.get(lane);
    if (world === undefined) throw new Error("no world");
    const said = await explained(world, { host: asked, target });
    expect(said).toEqual(await sent(world, { host: asked, target }));
  });
});
