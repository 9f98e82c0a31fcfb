// Pushing configuration as CONTRACT.md promises it: every endpoint of the control API that writes or lists, every command that is its client, on
// a gateway as a user runs it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type CommandResult, runSluice } from "../support/command.ts";
import { documents, gatewayResource, httpServer, service, virtualService } from "../support/config.ts";
import { ControlApi } from "../support/control-api.ts";
import { curl } from "../support/curl.ts";
import { type Gateway, gateway, Program } from "../support/gateway.ts";

const backend = await startHttpbin();
afterAll(() => backend.close());

const site = documents(gatewayResource("web", [httpServer(["*.example"])]), ...service("httpbin", backend.port));

function route(name: string, prefix = "/") {
  return virtualService(name, {
    hosts: [`${name}.example`],
    gateways: ["web"],
    destination: "httpbin",
    prefixes: [prefix],
  });
}

const pathOf = (name: string) => `/v1/resources/VirtualService/default/${name}`;

interface Listed {
  readonly number: number | null;
  readonly author: string;
  readonly reason: string;
  readonly state: string;
}

let world: Gateway;
let directory = "";

beforeAll(async () => {
  world = await gateway({ config: { "site.yaml": site }, ports: [80] });
  directory = await mkdtemp(join(tmpdir(), "sluice-push-"));
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const statusOf = async (name: string, path = "/get") =>
  (await curl("-H", `Host: ${name}.example`, world.url(80, path))).status;

describe("the control API", () => {
  test("POST /v1/apply: what is answered as converged is served by every worker, and dryRun only tells", async () => {
    const api = new ControlApi(world.ready.ctrl);
    const tried = await api.apply(documents(route("a"), route("b")), "dryRun=true");
    expect([tried.status, await statusOf("a")]).toEqual([200, 404]);
    const { status, body } = await api.apply(documents(route("a"), route("b")), "reason=first");
    expect([status, body.convergence.state]).toEqual([200, "converged"]);
    // As many connections as reach both workers with near certainty.
    const served = await Promise.all(Array.from({ length: 12 }, () => statusOf("a")));
    expect(new Set(served)).toEqual(new Set([200]));
    const broken = documents(route("c"), { ...route("d"), spec: { hosts: 7 } });
    const refused = await api.apply(broken);
    expect([refused.status, refused.type, await statusOf("c")]).toEqual([422, "application/problem+json", 404]);
    expect(JSON.stringify(refused.body)).toContain('"diagnostics"');
  });

  test("GET, PUT and DELETE of one resource, guarded by its ETag", async () => {
    const api = new ControlApi(world.ready.ctrl);
    const created = await api.put(pathOf("one"), route("one"), { "if-none-match": "*" });
    const { status, etag, body } = await api.ask(pathOf("one"));
    expect([created.status, status, etag]).toEqual([201, 200, created.etag]);
    expect(body).toMatchObject({
      kind: "VirtualService",
      metadata: { name: "one", resourceVersion: JSON.parse(etag ?? "") as string },
    });
    expect((await api.put(pathOf("one"), route("one", "/get"), { "if-match": etag ?? "" })).status).toBe(200);
    expect((await api.put(pathOf("one"), route("one", "/x"), { "if-match": etag ?? "" })).status).toBe(412);
    expect([await statusOf("one"), await statusOf("one", "/headers")]).toEqual([200, 404]);
    expect((await api.ask(pathOf("one"), { method: "DELETE" })).status).toBe(200);
    expect([(await api.ask(pathOf("one"))).status, await statusOf("one")]).toEqual([404, 404]);
  });

  test("GET /v1/resources lists what was pushed and what files declare, with where each comes from", async () => {
    const api = new ControlApi(world.ready.ctrl);
    const { body } = await api.ask<{
      resources: { kind: string; name: string; source: string; file: string | null }[];
    }>("/v1/resources");
    const listed = body.resources.map(({ kind, name, source }) => `${kind} ${name} ${source}`);
    expect(listed).toEqual([
      "Gateway web file",
      "VirtualService a store",
      "VirtualService b store",
      "Service httpbin file",
      "EndpointSlice httpbin-0 file",
    ]);
    expect(body.resources[0]?.file).toBe(`${join(world.configDirectory, "site.yaml")}:1`);
    expect((await api.ask("/v1/resources?kind=Nothing")).status).toBe(400);
  });

  test("GET /v1/versions and POST /v1/rollback: who, when, why and what, and back again", async () => {
    const api = new ControlApi(world.ready.ctrl);
    const before = (await api.ask<Listed[]>("/v1/versions")).body.filter(({ number }) => number !== null);
    expect(before.at(-1)).toMatchObject({ number: 1, reason: "first", author: "local" });
    await api.ask(pathOf("b"), { method: "DELETE", headers: { "x-sluice-author": "bob" } });
    expect(await statusOf("b")).toBe(404);
    const details = await api.ask(`/v1/versions/${before.length + 1}`);
    expect(details.body).toMatchObject({ author: "bob", changes: [{ name: "b", change: "removed", after: null }] });
    const back = await api.ask("/v1/rollback", { method: "POST", body: {} });
    expect([back.status, await statusOf("b")]).toEqual([200, 200]);
    expect((await api.ask<Listed[]>("/v1/versions")).body[0]).toMatchObject({
      number: before.length + 2,
      state: "current",
    });
  });

  test("GET /v1/events tells of a push as it happens, and GET /v1/openapi.json of all of this", async () => {
    const response = await fetch(`${world.ready.ctrl}/v1/events`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const api = new ControlApi(world.ready.ctrl);
    await api.apply(documents(route("seen")));
    let text = "";
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString("utf8");
      if (text.includes("event: ack")) break;
    }
    expect(text).toMatch(/event: hello\n[^]*event: version\n[^]*event: ack\n/);
    expect(Object.keys((await api.ask("/v1/openapi.json")).body)).toContain("paths");
  });
});

describe("the commands", () => {
  const sluice = async (...args: string[]): Promise<CommandResult> =>
    await runSluice(args, { cwd: directory, env: { SLUICE_CTRL: world.ready.ctrl } });

  test("apply: 0 when served, 1 with the file's line when refused, 2 for wrong usage or no control plane", async () => {
    await writeFile(join(directory, "good.yaml"), documents(route("cli"), route("cli-two")));
    await writeFile(join(directory, "bad.yaml"), documents(route("bad")).replace("gateways:", "gatewayz:"));
    const tried = await sluice("apply", "-f", "good.yaml", "--dry-run");
    expect([tried.code, tried.stderr]).toEqual([0, ""]);
    expect(tried.stdout).toContain(
      "+ host cli.example:80 in http.80\n    + /* → outbound|8000||httpbin.default.svc.cluster.local\n",
    );
    const applied = await sluice("apply", "-f", "good.yaml", "--reason", "by hand", "--author", "carol");
    expect([applied.code, await statusOf("cli")]).toEqual([0, 200]);
    expect(applied.stdout).toMatch(
      /^\+ VirtualService default\/cli added\n\+ .*\nversion \d+ \([0-9a-f]{16}\) served by 1 of 1 edge, 2 workers/,
    );
    const refused = await sluice("apply", "-f", "good.yaml", "bad.yaml");
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toMatch(/^bad\.yaml:8:3 error unknown-field/);
    expect((await sluice("apply", "-f", "missing.yaml")).code).toBe(2);
    expect((await sluice("apply")).code).toBe(2);
    expect((await sluice("apply", "-f", "good.yaml", "--ctrl", "http://127.0.0.1:1")).code).toBe(2);
  });

  test("get prints tables, and documents that can be applied again", async () => {
    const table = await sluice("get", "vs");
    expect(table.stdout).toMatch(/^KIND +NAMESPACE +NAME +VERSION +SOURCE\nVirtualService +default +a +\d+ +store\n/);
    const one = await sluice("get", "virtualservice/cli", "-o", "yaml");
    expect(parse(one.stdout)).toMatchObject({ kind: "VirtualService", metadata: { name: "cli" } });
    await writeFile(join(directory, "backup.yaml"), (await sluice("get", "--source", "store", "-o", "yaml")).stdout);
    const again = await sluice("apply", "-f", "backup.yaml", "-o", "json");
    expect([again.code, JSON.parse(again.stdout)]).toEqual([0, expect.objectContaining({ changed: false })]);
    // It was read before the next push, so it does not undo that.
    await writeFile(join(directory, "one.yaml"), one.stdout.replace("prefix: /", "prefix: /mine"));
    await writeFile(join(directory, "other.yaml"), documents(route("cli", "/theirs")));
    await sluice("apply", "-f", "other.yaml");
    const late = await sluice("apply", "-f", "one.yaml");
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("read it again")]);
    expect((await sluice("get", "vs", "nobody")).code).toBe(1);
    expect((await sluice("get", "nonsense")).code).toBe(2);
  });

  test("versions tells what a version changed, and rollback and delete make new ones", async () => {
    const list = await sluice("versions");
    expect(list.stdout).toMatch(/^NUMBER +TABLE +AGE +AUTHOR +STATE +CHANGES +SOURCE +REASON\n\d+ +[0-9a-f]{16} /);
    expect(list.stdout).toMatch(/carol +superseded +\+2 ~0 -0 +push +by hand/);
    const [latest = "0"] = /^\d+/m.exec(list.stdout) ?? [];
    expect((await sluice("versions", latest)).stdout).toMatch(/- +prefix: \/\n +\+ +prefix: \/theirs\n/);
    expect((await sluice("rollback", "-o", "json")).code).toBe(0);
    expect([await statusOf("cli"), await statusOf("cli", "/theirs")]).toEqual([200, 404]);
    expect((await sluice("delete", "vs", "cli")).stdout).toMatch(
      /^- VirtualService default\/cli removed\nversion \d+ /,
    );
    expect([(await sluice("delete", "vs/cli")).code, await statusOf("cli")]).toEqual([1, 404]);
    const owned = await sluice("delete", "gw/web");
    expect([owned.code, owned.stderr]).toEqual([1, expect.stringContaining("site.yaml:1; change it there")]);
    expect((await sluice("rollback", "--to", "9999")).code).toBe(1);
  });

  test("status has a line a worker, --check is for scripts, and --watch goes on as things change", async () => {
    const { code, stdout } = await sluice("status", "--check");
    expect(code).toBe(0);
    expect(stdout.match(/^edge-1 +[12] +\d+ +[0-9a-f]{16} .* serving$/gm)).toHaveLength(2);
    const watching = new Program(["get", "vs", "--watch", "--ctrl", world.ready.ctrl], directory);
    try {
      await watching.stdout.next((line) => line.includes("KIND"));
      const seen = watching.stdout.next((line) => /VirtualService +default +watched /.test(line));
      // The first look is out; whether the stream is open yet is not to be seen, so the news may have to be repeated.
      for (let push = 0, isSeen = false; !isSeen; push++) {
        await new ControlApi(world.ready.ctrl).apply(documents(route("watched", `/${push}`)));
        isSeen = await Promise.race([
          seen.then(() => true),
          new Promise<boolean>((resolve) => setTimeout(resolve, 500, false)),
        ]);
      }
    } finally {
      watching.process.kill("SIGKILL");
    }
  });

  test.each(["apply", "get", "delete", "status", "versions", "rollback"])(
    "%s --help has examples and the exit status",
    async (name) => {
      const { code, stdout } = await sluice(name, "--help");
      expect(code).toBe(0);
      expect(stdout).toMatch(/Examples:\n {2}sluice [^]*Exit status: 0 /);
    },
  );
});
