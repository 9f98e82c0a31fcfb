// What operators see: health, metrics whose labels no client can make, the live table without its keys, and the access log.
import { once } from "node:events";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  documents,
  gatewayResource,
  httpServer,
  httpsServer,
  service,
  tlsSecret,
  virtualService,
} from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { eventually } from "../support/eventually.ts";
import { type Exposition, readExposition } from "../support/exposition.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { untilGone, workerPids } from "../support/processes.ts";
import { clear, Conversation } from "../support/raw-socket.ts";

const host = "app.example";
const backend = await startHttpbin();
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });
const config = documents(
  gatewayResource("web", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("web", {
    hosts: [host],
    gateways: ["web"],
    destination: "httpbin",
    prefixes: ["/status", "/anything"],
  }),
  ...service("httpbin", backend.port),
  tlsSecret("app", certificate),
);
const request = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;

afterAll(() => backend.close());

/** Pieces of the private key long enough to be recognised. */
const keyPieces = [
  ...certificate.keyPem.split("\n").filter((line) => line.length > 20 && !line.startsWith("-")),
  Buffer.from(certificate.keyPem).toString("base64").slice(60, 120),
];

describe.each(engineLanes)("$name", ({ edge }) => {
  let world: Gateway;
  const scrape = async (): Promise<Exposition> => readExposition(await world.metrics());
  const total = async (labels: Record<string, string>) => (await scrape()).sum("istio_requests_total", labels);
  const admin = (path: string, init?: RequestInit) => fetch(world.ready.admin + path, init);

  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, edge });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  test("health is told on the admin port, and only by the methods that fit", async () => {
    expect([(await admin("/healthz/live")).status, (await admin("/healthz/ready")).status]).toEqual([200, 200]);
    expect((await admin("/healthz/ready", { method: "POST" })).status).toBe(405);
    expect((await admin("/drain")).status).toBe(405);
    expect((await admin("/nonsense")).status).toBe(404);
  });

  test("the metrics are in the exposition format: every sample described, no series twice, histograms that add up", async () => {
    await curl("-H", `Host: ${host}`, world.url(80, "/status/200"));
    const response = await admin("/stats/prometheus");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const exposition = readExposition(await response.text());
    expect(exposition.problems).toEqual([]);
    expect(exposition.samples.length).toBeGreaterThan(50);
  });

  test("every request is counted once, whichever worker took it, under its virtual host and route", async () => {
    const labels = { virtual_host: `${host}:80`, route: "default/web/http[0].match[0]", response_code: "418" };
    const before = await total(labels);
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        using connection = new Conversation(clear(world.port(80)));
        for (let i = 0; i < 5; i++) expect((await connection.ask(request("/status/418"))).status).toBe(418);
      }),
    );
    expect(await total(labels)).toBe(before + 200);
    const [sample] = (await scrape()).select("istio_requests_total", labels);
    expect(Object.keys(sample?.labels ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "destination_service",
      "reporter",
      "request_protocol",
      "response_code",
      "response_flags",
      "route",
      "virtual_host",
    ]);
    expect(sample?.labels["destination_service"]).toBe("httpbin.default.svc.cluster.local");
  });

  test("a hundred made-up hosts, paths and agents make no series of their own", async () => {
    const decoy = (index: number) => `decoy-${index}`;
    const ask = async (index: number) => {
      using connection = new Conversation(clear(world.port(80)));
      const fields = `User-Agent: ${decoy(index)}\r\nX-Request-Id: ${decoy(index)}\r\n`;
      await connection.ask(`GET /${decoy(index)} HTTP/1.1\r\nHost: ${decoy(index)}.example\r\n${fields}\r\n`);
      await connection.ask(request(`/anything/${decoy(index)}?${decoy(index)}`, fields));
    };
    // One of each on every worker first, so that their series are there.
    await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index)));
    const before = (await scrape()).series;
    for (let index = 20; index < 120; index++) await ask(index);
    const after = await scrape();
    expect(after.series).toEqual(before);
    expect(after.text).not.toContain("decoy");
    expect(after.sum("istio_requests_total", { virtual_host: "", response_code: "404" })).toBeGreaterThanOrEqual(120);
  });

  test("connections are counted while they are open", async () => {
    const open = async () => (await scrape()).sum("sluice_downstream_connections", { listener: "0.0.0.0_80" });
    const until = (count: number) =>
      eventually(`${count} open connections`, async () => ((await open()) === count ? count : null));
    await until(0);
    const connections = Array.from({ length: 7 }, () => new Conversation(clear(world.port(80))));
    for (const connection of connections) await connection.ask(request("/status/200"));
    await until(7);
    for (const connection of connections) connection[Symbol.dispose]();
    await until(0);
    const exposition = await scrape();
    expect(exposition.sum("sluice_downstream_active_requests", {})).toBe(0);
    expect(exposition.sum("sluice_upstream_active_requests", {})).toBe(0);
  });

  test("the version, the workers and the ends of certificates are metrics", async () => {
    const exposition = await scrape();
    expect(exposition.sum("sluice_table_info", { version: world.ready.version })).toBe(1);
    expect(exposition.sum("sluice_workers", {})).toBe(2);
    expect(exposition.sum("sluice_ctrl_connected", {})).toBe(1);
    expect(exposition.select("sluice_worker_resident_memory_bytes", {})).toHaveLength(2);
    const [expiry] = exposition.select("sluice_certificate_expiration_timestamp_seconds", { kind: "server" });
    const endsInSeconds = (expiry?.value ?? 0) - Date.now() / 1000;
    const [days] = exposition.select("sluice_certificate_days_left", { kind: "server" });
    expect(endsInSeconds).toBeGreaterThan(0);
    expect(days?.value).toBe(Math.floor(endsInSeconds / 86_400));
  });

  test("dumps, status, metrics and logs never hold a private key", async () => {
    const texts = await Promise.all([
      admin("/config_dump").then((response) => response.text()),
      world.metrics(),
      ...["/v1/config_dump", "/v1/status", "/v1/versions"].map(async (path) =>
        (await fetch(world.ready.ctrl + path)).text(),
      ),
    ]);
    const [dump] = texts;
    expect(JSON.parse(dump)).toMatchObject({ version: world.ready.version });
    expect(dump).toContain("app.example");
    for (const text of [...texts, world.edge.stdout.text, world.edge.stderr.text]) {
      for (const piece of keyPieces) expect(text).not.toContain(piece);
    }
  });

  test("the access log's text is Istio's, field by field", async () => {
    const path = `/anything/logged?q="x"`;
    const fields = 'User-Agent: story "1"\r\nX-Request-Id: id-1\r\nContent-Length: 5\r\n';
    const line = world.edge.stdout.next((text) => text.includes("/anything/logged"));
    using connection = new Conversation(clear(world.port(80)));
    const { body } = await connection.ask(`${request(path, fields)}hello`);
    const text = await line;
    const cluster = "outbound|8000||httpbin.default.svc.cluster.local";
    const expected = [
      String.raw`^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] "GET /anything/logged\?q=(\\x22x\\x22|%22x%22) HTTP/1\.1" `,
      `200 - via_upstream - "-" 5 ${Buffer.byteLength(body)} \\d+ \\d+ `,
      String.raw`"127\.0\.0\.1" "story \\x221\\x22" "id-1" "app\.example" `,
      String.raw`"127\.0\.0\.1:${backend.port}" ${cluster.replaceAll("|", "\\|").replaceAll(".", "\\.")} `,
      String.raw`127\.0\.0\.1:\d+ 127\.0\.0\.1:${world.port(80)} 127\.0\.0\.1:\d+ - default/web/http\[0\]\.match\[1\]$`,
    ];
    expect(text).toMatch(new RegExp(expected.join("")));
  });

  test("what Sluice answers itself is logged with Envoy's flags", async () => {
    const line = world.edge.stdout.next((text) => text.includes("/not-routed"));
    await curl("-H", `Host: ${host}`, world.url(80, "/not-routed"));
    expect(await line).toContain('"GET /not-routed HTTP/1.1" 404 NR route_not_found - "-" 0 0 ');
  });
});

const jsonKeys = [
  "start_time",
  "method",
  "path",
  "protocol",
  "response_code",
  "response_flags",
  "response_code_details",
  "connection_termination_details",
  "upstream_transport_failure_reason",
  "bytes_received",
  "bytes_sent",
  "duration",
  "upstream_service_time",
  "x_forwarded_for",
  "user_agent",
  "request_id",
  "authority",
  "upstream_host",
  "upstream_cluster",
  "upstream_local_address",
  "downstream_local_address",
  "downstream_remote_address",
  "requested_server_name",
  "route_name",
];

describe("an access log in a file", () => {
  let world: Gateway;
  let directory = "";
  let log = "";
  const ask = (path: string) => curl("-H", `Host: ${host}`, world.url(80, path));
  const logged = async (file: string) =>
    (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");

  /** The first line of the file that names the path: the log is written four times a second. */
  function lineOf(file: string, path: string): Promise<string> {
    return eventually(
      `a line with ${path}`,
      async () => (await logged(file)).find((text) => text.includes(path)) ?? null,
    );
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "sluice-log-"));
    log = join(directory, "deep/access.log");
    const accessLog = { path: log, format: "json" };
    world = await gateway({ config: { "site.yaml": config }, edge: { accessLog, workers: 1 } });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test("is JSON with Istio's keys, and standard output stays ours", async () => {
    await ask("/anything/json");
    const entry = JSON.parse(await lineOf(log, "/anything/json")) as Record<string, unknown>;
    expect(Object.keys(entry)).toEqual(jsonKeys);
    expect(entry).toMatchObject({
      method: "GET",
      path: "/anything/json",
      protocol: "HTTP/1.1",
      response_code: 200,
      response_flags: "-",
      authority: host,
      upstream_cluster: "outbound|8000||httpbin.default.svc.cluster.local",
      requested_server_name: null,
      bytes_received: 0,
    });
    expect(world.edge.stdout.lines).toHaveLength(1);
  });

  test("is opened anew at SIGUSR2, after a rotation", async () => {
    const rotated = `${log}.1`;
    await rename(log, rotated);
    await ask("/anything/before");
    await lineOf(rotated, "/anything/before");
    world.edge.process.kill("SIGUSR2");
    // The signal passes three processes; requests tell when it has arrived.
    await eventually("the new file", async () => {
      await ask("/anything/after");
      return (await logged(log))[0] ?? null;
    });
    const count = (await logged(rotated)).length;
    await ask("/anything/last");
    await lineOf(log, "/anything/last");
    expect(await logged(rotated)).toHaveLength(count);
    expect((await fetch(`${world.ready.admin}/healthz/ready`)).status).toBe(200);
  });
});

test("the lines of two workers do not mix when the reader of standard output is slow", async () => {
  await using world = await gateway({ config: { "site.yaml": config }, edge: { workers: 2 } });
  const output = world.edge.process.stdout;
  output?.pause();
  const clients = Array.from({ length: 16 }, async (_, client) => {
    using connection = new Conversation(clear(world.port(80)));
    for (let i = 0; i < 200; i++) await connection.ask(request(`/status/204?client=${client}&i=${i}`));
  });
  await Promise.all(clients);
  const ended = once(output as Readable, "end");
  output?.resume();
  expect(await world.edge.stop()).toBe(0);
  await ended;
  const lines = world.edge.stdout.lines.filter((line) => !line.startsWith("{"));
  expect(lines.filter((line) => !/^\[[^[]+ default\/web\/http\[0\]\.match\[0\]$/.test(line))).toEqual([]);
  expect(lines).toHaveLength(16 * 200);
});

test("an edge whose standard output nobody reads any more ends all the same", async () => {
  await using world = await gateway({ config: { "site.yaml": config }, edge: { workers: 1 } });
  world.edge.process.stdout?.pause();
  using connection = new Conversation(clear(world.port(80)));
  for (let i = 0; i < 3000; i++) await connection.ask(request(`/status/204?i=${i}`));
  const workers = await workerPids(world);
  expect(workers).toHaveLength(1);
  expect(await world.edge.stop()).toBe(0);
  await untilGone(workers);
});

test("SIGUSR2 does no harm to an access log that is no file", async () => {
  await using world = await gateway({ config: { "site.yaml": config }, programs: "ctrl+edge" });
  world.edge.process.kill("SIGUSR2");
  // Each waits for an answer of both workers, which answer in the order they are asked: the signal comes first.
  for (let scrape = 0; scrape < 5; scrape++) await world.metrics();
  const line = world.edge.stdout.next((text) => text.includes("/anything/still-logged"));
  await curl("-H", `Host: ${host}`, world.url(80, "/anything/still-logged"));
  await line;
  expect(readExposition(await world.metrics()).sum("sluice_worker_restarts_total", {})).toBe(0);
});

test("an access log that is off logs nothing, and everything else is as ever", async () => {
  await using world = await gateway({
    config: { "site.yaml": config },
    edge: { accessLog: { path: "off" }, workers: 1 },
  });
  for (let i = 0; i < 3; i++) {
    expect((await curl("-H", `Host: ${host}`, world.url(80, "/status/204"))).status).toBe(204);
  }
  expect(readExposition(await world.metrics()).sum("istio_requests_total", { response_code: "204" })).toBe(3);
  expect(await world.edge.stop()).toBe(0);
  // What was buffered was written before the end.
  expect(world.edge.stdout.lines).toHaveLength(1);
});
