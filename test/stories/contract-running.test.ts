// `sluice up`, `sluice ctrl` and `sluice edge` as CONTRACT.md promises them: the ready line, sluice.yaml, the annotations, and the commands
// that ask a running gateway.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { runSluice } from "../support/command.ts";
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
import { engineLanes, isUwsAvailable } from "../support/engines.ts";
import { gateway, Program, type ReadyLine, readyLine } from "../support/gateway.ts";

const fast = isUwsAvailable ? "uws" : "node";
const backend = await startHttpbin();
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "tls", dnsNames: ["tls.example"] });
const simple = { mode: "SIMPLE", credentialName: "tls" };

const site = documents(
  gatewayResource("web", [httpServer(["shop.example"]), httpsServer(["tls.example"], simple)]),
  gatewayResource("slow", [httpServer(["*"], { port: 81 })], { "sluice.dev/engine": "node" }),
  gatewayResource("http1", [httpsServer(["tls.example"], simple, { port: 444 })], { "sluice.dev/alpn": "http/1.1" }),
  virtualService("shop", { hosts: ["*.example"], gateways: ["web", "slow", "http1"], destination: "httpbin" }),
  ...service("httpbin", backend.port),
  { ...tlsSecret("tls", certificate), metadata: { name: "tls", namespace: "edge-system" } },
);

/** Every key that the contract names, none with its default. */
const settings = {
  node: { id: "edge-7", namespace: "edge-system", labels: { istio: "ingressgateway", tier: "edge" } },
  config: { directory: "./resources" },
  edge: {
    workers: 2,
    bind: "127.0.0.1",
    ports: { 80: 0, 81: 0, 443: 0, 444: 0 },
    engine: "auto",
    alpn: ["h2", "http/1.1"],
    drainSeconds: 3,
    accessLog: { path: "./access.log", format: "json" },
  },
  admin: { address: "127.0.0.1:0" },
  ctrl: { address: "127.0.0.1:0" },
};

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-running-"));
  await mkdir(join(directory, "home/resources"), { recursive: true });
  await mkdir(join(directory, "elsewhere"));
  await writeFile(join(directory, "home/resources/site.yaml"), site);
  await writeFile(join(directory, "home/all.yaml"), stringify(settings));
});

afterAll(async () => {
  await backend.close();
  await rm(directory, { recursive: true });
});

function checkReadyLine(ready: ReadyLine): void {
  expect(Object.keys(ready)).toEqual(["event", "version", "workers", "listeners", "admin", "ctrl"]);
  for (const listener of ready.listeners) {
    expect(Object.keys(listener)).toEqual(["name", "address", "port", "boundPort", "engine"]);
    expect(listener.boundPort).toBeGreaterThan(0);
  }
  expect(ready.workers).toBe(2);
  expect(ready.version).toMatch(/^[0-9a-f]{8,}$/);
  for (const url of [ready.admin, ready.ctrl]) expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  const engines = ready.listeners.map(({ name, address, port, engine }) => [name, `${address}_${port}`, engine]);
  expect(new Set(engines)).toEqual(
    new Set([
      ["0.0.0.0_80", "0.0.0.0_80", fast],
      ["0.0.0.0_81", "0.0.0.0_81", "node"],
      ["0.0.0.0_443", "0.0.0.0_443", "node"],
      ["0.0.0.0_444", "0.0.0.0_444", fast],
    ]),
  );
}

describe("sluice up, with SLUICE_CONFIG", () => {
  let up: Program;
  let ready: ReadyLine;
  const boundPort = (port: number) => ready.listeners.find((listener) => listener.port === port)?.boundPort ?? 0;
  const ask = (args: readonly string[], env: Record<string, string> = {}) =>
    runSluice(args, { cwd: join(directory, "elsewhere"), env });

  beforeAll(async () => {
    const env = { SLUICE_CONFIG: join(directory, "home/all.yaml") };
    up = new Program(["up"], join(directory, "elsewhere"), env);
    ready = await readyLine(up);
  });

  afterAll(() => up.stop());

  test("prints one line on standard output: exactly the contract's keys, with free ports taken and engines chosen", () => {
    expect(up.stdout.lines).toHaveLength(1);
    checkReadyLine(ready);
  });

  test("every listener serves, with the protocols that it was given", async () => {
    for (const port of [80, 81]) {
      const { status } = await curl("-H", "Host: shop.example", `http://127.0.0.1:${boundPort(port)}/status/418`);
      expect([port, status]).toEqual([port, 418]);
    }
    await writeFile(join(directory, "ca.crt"), authority.certificatePem);
    const trust = ["--cacert", join(directory, "ca.crt"), "--http2"];
    const versions = await Promise.all(
      [443, 444].map(async (port) => {
        const at = `tls.example:${boundPort(port)}`;
        const { rawHead } = await curl(...trust, "--resolve", `${at}:127.0.0.1`, `https://${at}/status/418`);
        return rawHead.split(" ", 2).join(" ");
      }),
    );
    expect(versions).toEqual(["HTTP/2 418", "HTTP/1.1 418"]);
  });

  test("node.id is what ctrl knows the edge by", async () => {
    const status = (await (await fetch(`${ready.ctrl}/v1/status`)).json()) as { edges: { id: string }[] };
    expect(status.edges.map(({ id }) => id)).toEqual(["edge-7"]);
  });

  test("pc and explain ask a running gateway, named by --ctrl or SLUICE_CTRL, and say what they say offline", async () => {
    const env = { SLUICE_CTRL: ready.ctrl };
    const offline = ["-f", join(directory, "home/resources"), "-o", "json"];
    const routes = await ask(["pc", "route", "-o", "json"], env);
    expect(routes).toEqual({ ...(await ask(["pc", "route", ...offline])), stderr: "" });
    expect(await ask(["pc", "route", "--ctrl", ready.ctrl, "-o", "json"])).toEqual(routes);
    const old = ["pc", "route", "--dialect", "istio-1.0", "-o", "json"];
    expect((await ask(old, env)).stdout).toBe((await ask([...old, ...offline])).stdout);
    const question = ["explain", "--port", "80", "--host", "shop.example", "--path", "/get", "-o", "json"];
    const live = await ask(question, env);
    expect(live.code).toBe(0);
    expect(JSON.parse(live.stdout)).toEqual(JSON.parse((await ask([...question, ...offline])).stdout));
    // -f wins over the variable: it was said just now.
    expect((await ask(["pc", "route", ...offline], { SLUICE_CTRL: "http://127.0.0.1:1" })).code).toBe(0);
    expect((await ask(["pc", "route"], { SLUICE_CTRL: "http://127.0.0.1:1" })).code).toBe(2);
  });

  test("GET /v1/status, /v1/versions and /v1/config_dump and POST /v1/explain answer JSON, errors are problems", async () => {
    for (const path of ["/v1/status", "/v1/versions", "/v1/config_dump"]) {
      const response = await fetch(ready.ctrl + path);
      expect([path, response.status, response.headers.get("content-type")?.split(";")[0]]).toEqual([
        path,
        200,
        "application/json",
      ]);
      expect(JSON.stringify(await response.json())).toContain(ready.version);
    }
    const problem = await fetch(`${ready.ctrl}/v1/explain`, { method: "POST", body: "{}" });
    expect(problem.status).toBeGreaterThanOrEqual(400);
    expect(problem.headers.get("content-type")).toBe("application/problem+json");
  });

  test("SIGTERM ends it with exit status 0", async () => {
    up.process.kill("SIGTERM");
    expect(await up.exited).toBe(0);
    expect(up.stdout.lines).toHaveLength(1);
  });
});

test("ctrl and edge, each alone, make the same gateway; edge prints the ready line and ctrl none", async () => {
  const home = join(directory, "home");
  const ctrl = new Program(["ctrl", "--config", "all.yaml"], home);
  const edge = new Program(["edge", "--config", "all.yaml"], home);
  try {
    checkReadyLine(await readyLine(edge));
    expect([ctrl.stdout.lines, edge.stdout.lines.length]).toEqual([[], 1]);
    edge.process.kill("SIGTERM");
    expect(await edge.exited).toBe(0);
    ctrl.process.kill("SIGTERM");
    expect(await ctrl.exited).toBe(0);
  } finally {
    await edge.stop();
    await ctrl.stop();
  }
});

test("an access log that cannot be written stops the start, with exit status 2 and the setting's name", async () => {
  const home = join(directory, "home");
  const accessLog = { path: "./all.yaml/access.log" };
  await writeFile(join(home, "bad-log.yaml"), stringify({ ...settings, edge: { ...settings.edge, accessLog } }));
  const { code, stdout, stderr } = await runSluice(["up", "--config", "bad-log.yaml"], { cwd: home });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/edge\.accessLog\.path: \S+\/home\/all\.yaml\/access\.log cannot be written: E[A-Z]+/);
});

describe.each(engineLanes)("a server without its Secret, $name", ({ edge }) => {
  test("refuses connections until the Secret appears, while its neighbour serves", async () => {
    const late = await authority.issue({ commonName: "late", dnsNames: ["late.example"] });
    const servers = [
      httpsServer(["tls.example"], simple),
      httpsServer(["late.example"], { mode: "SIMPLE", credentialName: "late" }),
    ];
    const config = documents(
      gatewayResource("web", servers),
      virtualService("web", { hosts: ["*.example"], gateways: ["web"], destination: "httpbin" }),
      ...service("httpbin", backend.port),
      tlsSecret("tls", certificate),
    );
    await using world = await gateway({ config: { "site.yaml": config }, edge, ports: [443] });
    const port = world.port(443);
    const ask = async (host: string) => {
      const at = `${host}:${port}`;
      return (await curl("-k", "--resolve", `${at}:127.0.0.1`, `https://${at}/status/418`)).status;
    };
    expect([await ask("tls.example"), await ask("late.example")]).toEqual([418, 0]);
    await world.reload({ "late.yaml": documents(tlsSecret("late", late)) });
    expect([await ask("tls.example"), await ask("late.example")]).toEqual([418, 418]);
  });
});
