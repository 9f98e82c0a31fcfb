// The end of an edge: readiness goes off, clients are sent elsewhere, what is under way finishes, within a limit.
import { once } from "node:events";
import { Agent, type IncomingMessage, request as requestHttp } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, describe, expect, test } from "vitest";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { eventually } from "../support/eventually.ts";
import { type Gateway, gateway, type GatewayOptions } from "../support/gateway.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const backend = await startHttpbin({ name: "app" });
const authority = await createAuthority({ commonName: "drain ca" });
const certificate = await authority.issue({ commonName: siteHost, dnsNames: [siteHost] });
afterAll(() => backend.close());

const slowPath = "/delay/2";
const streamPath = "/sse?count=5&intervalMs=400";

interface Answer {
  readonly response: IncomingMessage;
  readonly body: string;
}

function get(world: Gateway, path: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: world.port(80), path, headers: { host: siteHost } };
    const request = requestHttp(agent === undefined ? options : { ...options, agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("error", reject).on("end", () => resolve({ response, body }));
    });
    request.on("error", reject).end();
  });
}

/** Resolves when the backend has the request: from then on it is in flight. */
async function untilAtBackend(path: string, since: number): Promise<void> {
  await eventually(`${path} at the backend`, () =>
    backend.requests.slice(since).some(({ url }) => url === path) ? true : null,
  );
}

/** Starts requests and resolves, with their answers to come, when all are in flight. */
async function inFlight(world: Gateway, ...paths: readonly string[]): Promise<Promise<Answer>[]> {
  const agent = new Agent({ keepAlive: true });
  const since = backend.requests.length;
  const answers = paths.map((path) => get(world, path, agent));
  // Looked at later; a failure until then is no unhandled one.
  for (const answer of answers) answer.catch(() => {});
  await Promise.all(paths.map((path) => untilAtBackend(path, since)));
  return answers;
}

async function untilNotReady(world: Gateway): Promise<void> {
  await eventually("readiness off", async () => {
    const { status, body } = await curl(`${world.ready.admin}/healthz/ready`);
    return status === 503 && body === "not ready: draining\n" ? true : null;
  });
}

function start(options: Omit<GatewayOptions, "config">): Promise<Gateway> {
  return gateway({ config: simpleSite(backend.port, { certificate }), ...options });
}

describe.each(engineLanes)("$name", ({ edge, expected }) => {
  test("SIGTERM: not ready, in-flight requests finish with connection: close, exit 0", async () => {
    await using world = await start({ edge });
    expect(world.engine(80)).toBe(expected);
    await expectGracefulEnd(world);
  });

  test("what hangs is ended after drainSeconds, and the exit status is 0 all the same", async () => {
    await using world = await start({ edge: { ...edge, drainSeconds: 1 } });
    const [hanging] = await inFlight(world, "/delay/10");
    world.edge.process.kill("SIGTERM");
    // The backend would have answered it in the end.
    await expect(hanging).rejects.toThrow(/socket hang up|ECONNRESET|aborted/);
    expect(await world.edge.exited).toBe(0);
  });
});

test("SIGTERM to an edge alone ends in the same way", async () => {
  await using world = await start({ programs: "ctrl+edge" });
  await expectGracefulEnd(world);
});

async function expectGracefulEnd(world: Gateway): Promise<void> {
  const [slow, stream] = await inFlight(world, slowPath, streamPath);
  world.edge.process.kill("SIGTERM");
  await untilNotReady(world);
  // New connections are for the other machines of the tier.
  expect((await curl("-H", `host: ${siteHost}`, world.url(80, "/get"))).code).not.toBe(0);
  const answer = await slow;
  expect([answer?.response.statusCode, answer?.response.headers.connection]).toEqual([200, "close"]);
  expect((await stream)?.body.match(/data: /g)).toHaveLength(5);
  expect(await world.edge.exited).toBe(0);
}

test.each(["up", "ctrl+edge"] as const)(
  "a second SIGTERM to %s does not wait for what is under way",
  async (programs) => {
    await using world = await start({ edge: { drainSeconds: 60 }, programs });
    const [hanging] = await inFlight(world, "/delay/10");
    world.edge.process.kill("SIGTERM");
    await untilNotReady(world);
    // Two signals at almost the same time are one request: a process group's and a supervisor's.
    const again = setInterval(() => world.edge.process.kill("SIGTERM"), 200);
    expect(await world.edge.exited).toBe(1);
    clearInterval(again);
    await expect(hanging).rejects.toThrow(/socket hang up|ECONNRESET|aborted/);
  },
);

test("h2 clients are told with GOAWAY, and their stream under way finishes", async () => {
  await using world = await start({ edge: { engine: "node" } });
  const session = connectHttp2(`https://${siteHost}:${world.port(443)}`, {
    host: "127.0.0.1",
    servername: siteHost,
    ca: authority.certificatePem,
  });
  const told = once(session, "goaway");
  const since = backend.requests.length;
  const stream = session.request({ ":path": slowPath, ":authority": siteHost });
  const answered = once(stream, "response");
  let body = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
  await untilAtBackend(slowPath, since);
  world.edge.process.kill("SIGTERM");
  expect((await told)[0]).toBe(0);
  const [headers] = (await answered) as [Record<string, unknown>];
  expect(headers[":status"]).toBe(200);
  await once(stream, "close");
  expect(JSON.parse(body)).toMatchObject({ name: "app" });
  expect(await world.edge.exited).toBe(0);
});

test("POST /drain on the admin port ends the edge, and up with it", async () => {
  await using world = await start({});
  const [slow] = await inFlight(world, slowPath);
  expect((await curl(`${world.ready.admin}/drain`)).status).toBe(405);
  expect((await curl("-X", "POST", `${world.ready.admin}/drain`)).status).toBe(202);
  await untilNotReady(world);
  expect((await slow)?.response.statusCode).toBe(200);
  expect(await world.edge.exited).toBe(0);
});
