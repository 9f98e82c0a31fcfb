// Pushes through the API of a control plane, with edges that are only their end of the control socket.
import { rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { plainGateway } from "./support/configurations.ts";
import { FakeEdge } from "./support/fake-edge.ts";
import { RunningPlane } from "./support/running-plane.ts";

interface Answer {
  readonly number: number;
  readonly version: string;
  readonly changed: boolean;
  readonly changes: readonly { change: string; name: string }[];
  readonly diagnostics: readonly { code: string; file: string; line: number }[];
  readonly convergence: { readonly state: string; readonly edges: readonly { id: string; state: string }[] };
  readonly difference: {
    readonly hosts: readonly { name: string; routes: readonly { change: string; route: string }[] }[];
    readonly clusters: readonly object[];
  };
  readonly detail: string;
  readonly failure: string;
  readonly undoneBy: number;
}

interface Listed {
  readonly number: number | null;
  readonly state: string;
  readonly author: string;
  readonly reason: string;
  readonly refusal: string;
}

/** A route of shop.example; the gateway is the directory's. */
function route(name: string, prefix: string, more = ""): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: default${more} }
spec:
  hosts: ["${name}.example"]
  gateways: [shop]
  http:
    - match: [{ uri: { prefix: "${prefix}" } }]
      route: [{ destination: { host: backend.example, port: { number: 8000 } } }]
`;
}

function configMapNamed(name: string): string {
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data: {} });
}

const anyHost = plainGateway(8080).replace('hosts: ["shop.example"]', 'hosts: ["*.example"]');

class Pushed implements AsyncDisposable {
  readonly plane: RunningPlane;
  constructor(plane: RunningPlane) {
    this.plane = plane;
  }

  static async start(files: Readonly<Record<string, string>> = { "a.yaml": anyHost }): Promise<Pushed> {
    const pushed = new Pushed(await RunningPlane.start(files));
    await pushed.plane.until<{ version: string | null }>("/v1/status", ({ version }) => version !== null);
    return pushed;
  }

  async send(method: string, path: string, text?: string, headers: Record<string, string> = {}) {
    const body = text === undefined ? {} : { body: text };
    const type = text === undefined ? {} : { "content-type": "application/yaml" };
    const response = await fetch(`${this.plane.url}${path}`, { method, headers: { ...type, ...headers }, ...body });
    return { status: response.status, etag: response.headers.get("etag"), body: (await response.json()) as Answer };
  }

  async apply(text: string, query = "wait=0", headers: Record<string, string> = {}) {
    return await this.send("POST", `/v1/apply?${query}`, text, headers);
  }

  async versions(): Promise<Listed[]> {
    const versions = (await this.plane.get("/v1/versions")).body as Listed[];
    return versions.filter(({ number }) => number !== null);
  }

  async names(): Promise<string[]> {
    const { body } = await this.plane.get("/v1/resources?source=store");
    return (body as { resources: { name: string }[] }).resources.map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane[Symbol.asyncDispose]();
  }
}

const path = (name: string) => `/v1/resources/VirtualService/default/${name}`;

describe("a push", () => {
  it("is compiled with the directory, stored, published, and answered when the edge serves it", async () => {
    await using pushed = await Pushed.start();
    using edge = await FakeEdge.greet(pushed.plane.socketPath, "edge-1");
    await edge.accept();
    const answer = pushed.apply(route("one", "/a"), "wait=10&reason=because", { "x-sluice-author": "alice" });
    const commit = await edge.expect("commit");
    expect(await Promise.race([answer, Promise.resolve("not answered yet")])).toBe("not answered yet");
    edge.ack(commit.version);
    expect(await answer).toMatchObject({
      status: 200,
      body: {
        number: 1,
        version: commit.version,
        changed: true,
        changes: [{ change: "added", name: "one" }],
        convergence: { state: "converged", edges: [{ id: "edge-1", state: "serving" }] },
      },
    });
    expect(await pushed.versions()).toMatchObject([
      { number: 1, author: "alice", reason: "because", state: "current" },
    ]);
  });

  it("with an error anywhere changes nothing and names the line that was sent", async () => {
    await using pushed = await Pushed.start();
    const broken = `${route("one", "/a")}---\n${route("two", "/b").replace("gateways:", "gatewayz:")}`;
    const { status, body } = await pushed.apply(broken);
    expect([status, body.failure]).toEqual([422, "invalid"]);
    expect(body.diagnostics).toMatchObject([{ severity: "error", file: "body", line: 16 }]);
    expect([await pushed.versions(), await pushed.names()]).toEqual([[], []]);
    expect((await pushed.apply("kind: [")).status).toBe(422);
    expect((await pushed.apply("kind: Deployment")).body.failure).toBe("empty");
  });

  it("takes the longest name there is, which can be read and removed too", async () => {
    await using pushed = await Pushed.start();
    const name = `${"n".repeat(63)}.`.repeat(4).slice(0, 253);
    expect((await pushed.apply(configMapNamed(name))).status).toBe(200);
    const url = `/v1/resources/ConfigMap/default/${name}`;
    expect((await pushed.send("GET", url)).status).toBe(200);
    expect((await pushed.send("DELETE", `${url}?wait=0`)).status).toBe(200);
    expect((await pushed.send("GET", `${url}n`)).body.detail).toContain("max param length");
  });

  it("takes several documents, a List and JSON", async () => {
    await using pushed = await Pushed.start();
    expect((await pushed.apply(`${route("one", "/a")}---\n${route("two", "/b")}`)).body.number).toBe(1);
    const list = { apiVersion: "v1", kind: "List", items: [configMap("x", 1), configMap("y", 1)] };
    const json = { "content-type": "application/json" };
    expect((await pushed.apply(JSON.stringify(list), "wait=0", json)).body.number).toBe(2);
    expect(await pushed.names()).toEqual(["one", "two", "x", "y"]);
  });

  it("of what is stored already makes no version", async () => {
    await using pushed = await Pushed.start();
    await pushed.apply(route("one", "/a"));
    const again = await pushed.apply(`# the same\n${route("one", "/a")}`);
    expect(again.body).toMatchObject({ number: 1, changed: false, changes: [] });
    expect(await pushed.versions()).toHaveLength(1);
  });

  it("can be tried: what it would do to hosts, routes and clusters is told, and nothing stored", async () => {
    await using pushed = await Pushed.start();
    await pushed.apply(route("one", "/a"));
    const { body } = await pushed.apply(route("one", "/b"), "dryRun=true");
    expect(body.difference.hosts).toMatchObject([
      {
        name: "one.example:8080",
        change: "changed",
        domains: ["one.example"],
        routes: [
          { change: "removed", route: "/a* → outbound|8000||backend.example" },
          { change: "added", route: "/b* → outbound|8000||backend.example" },
        ],
      },
    ]);
    expect(body.difference.clusters).toEqual([]);
    expect(await pushed.versions()).toHaveLength(1);
  });

  it("tells of the warnings it causes, not of those that stood there before", async () => {
    const lost = route("lost", "/").replace("backend.example", "nowhere.example");
    await using pushed = await Pushed.start({ "a.yaml": anyHost, "b.yaml": lost });
    expect((await pushed.apply(route("one", "/a"))).body.diagnostics).toEqual([]);
    const { diagnostics } = (await pushed.apply(lost.replaceAll("lost", "lost-too"))).body;
    expect(new Set(diagnostics.map(({ file }) => file))).toEqual(new Set(["body"]));
    expect(diagnostics.length).toBeGreaterThan(0);
  });

  it("is refused while nothing runs that could be added to", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": "kind: [" });
    await plane.until<{ lastAttempt: object | null }>("/v1/status", ({ lastAttempt }) => lastAttempt !== null);
    const pushed = new Pushed(plane);
    const { status, body } = await pushed.apply(route("one", "/a"));
    expect([status, body.failure]).toEqual([503, "not-ready"]);
    expect(body.detail).toContain("a.yaml:1:");
  });

  it("goes on while a file is broken: the running configuration is what it is added to", async () => {
    await using pushed = await Pushed.start();
    await pushed.plane.save("a.yaml", "kind: [");
    await pushed.plane.until<{ lastAttempt: { ok: boolean } }>("/v1/status", ({ lastAttempt }) => !lastAttempt.ok);
    expect((await pushed.apply(route("one", "/a"))).status).toBe(200);
    const dump = JSON.stringify((await pushed.plane.get("/v1/config_dump?resource=route")).body);
    expect([dump.includes("shop.example"), dump.includes("one.example")]).toEqual([true, true]);
  });
});

function configMap(name: string, content: number, resourceVersion?: string) {
  const metadata = { name, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { content: `${content}` } };
}

describe("two writers", () => {
  it("never lose a change: of two that read one version, one is told", async () => {
    await using pushed = await Pushed.start();
    const first = await pushed.send("PUT", path("one"), route("one", "/a"), { "if-none-match": "*" });
    expect([first.status, first.etag]).toEqual([201, '"1"']);
    expect((await pushed.send("PUT", path("one"), route("one", "/b"), { "if-none-match": "*" })).status).toBe(412);
    const results = await Promise.all(
      ["/b", "/c"].map((prefix) => pushed.send("PUT", path("one"), route("one", prefix), { "if-match": '"1"' })),
    );
    expect(results.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([200, 412]);
    expect((await pushed.send("DELETE", path("one"), undefined, { "if-match": '"1"' })).status).toBe(412);
    expect((await pushed.send("DELETE", path("one"), undefined, { "if-match": '"2"' })).status).toBe(200);
    expect((await pushed.send("DELETE", path("one"))).status).toBe(404);
  });

  it("are told the version they wrote themselves, though another was quicker than the answer", async () => {
    await using pushed = await Pushed.start();
    using edge = await FakeEdge.greet(pushed.plane.socketPath, "edge-1");
    edge.ack((await edge.expect("commit")).version);
    const early = pushed.send("PUT", `${path("one")}?wait=60`, route("one", "/a"));
    const { version } = await edge.expect("commit");
    const late = await pushed.send("PUT", `${path("one")}?wait=0`, route("one", "/b"));
    edge.ack(version);
    expect([(await early).etag, late.etag]).toEqual(['"1"', '"2"']);
    expect((await pushed.send("PUT", `${path("one")}?wait=0`, route("one", "/b"))).etag).toBe('"2"');
  });

  it("are not left to believe that a condition on several resources was checked", async () => {
    await using pushed = await Pushed.start();
    const { status, body } = await pushed.apply(route("one", "/a"), "wait=0", { "if-match": '"7"' });
    expect([status, body.detail]).toEqual([400, expect.stringContaining("metadata.resourceVersion")]);
    expect(await pushed.names()).toEqual([]);
  });

  it("are held to metadata.resourceVersion where they send it", async () => {
    await using pushed = await Pushed.start();
    const json = { "content-type": "application/json" };
    const send = (map: object) => pushed.apply(JSON.stringify(map), "wait=0", json);
    expect((await send(configMap("x", 1, "7"))).body.failure).toBe("conflict");
    await send(configMap("x", 1));
    expect((await send(configMap("x", 2, "1"))).body.number).toBe(2);
    const late = await send(configMap("x", 3, "1"));
    expect([late.status, late.body.detail]).toEqual([409, expect.stringContaining("is at version 2 now")]);
    expect((await send(configMap("x", 3))).body.number).toBe(3);
  });
});

describe("a resource of the directory", () => {
  it("is not written by a push, which is told the file", async () => {
    await using pushed = await Pushed.start();
    for (const attempt of [
      await pushed.apply(route("shop", "/x")),
      await pushed.send("PUT", path("shop"), route("shop", "/x")),
      await pushed.send("DELETE", path("shop")),
    ]) {
      expect([attempt.status, attempt.body.failure]).toEqual([409, "owned"]);
      expect(attempt.body.detail).toContain(`declared by ${pushed.plane.directory.at("config/a.yaml")}:`);
    }
  });

  it("wins over a stored one of its name, with a warning, until either goes", async () => {
    await using pushed = await Pushed.start();
    await pushed.apply(route("one", "/stored"));
    const dump = async () => JSON.stringify((await pushed.plane.get("/v1/config_dump?resource=route")).body);
    await writeFile(pushed.plane.directory.at("config/b.yaml"), route("one", "/file"));
    const { lastAttempt } = await pushed.plane.until<{ lastAttempt: { diagnostics: { code: string }[] } }>(
      "/v1/status",
      (status) => status.lastAttempt.diagnostics.length > 0,
    );
    expect(lastAttempt.diagnostics).toMatchObject([
      { code: "shadowed-resource", severity: "warning", resource: "VirtualService default/one" },
    ]);
    expect(await dump()).toContain("/file");
    const listed = await pushed.plane.get("/v1/resources?kind=VirtualService&name=one");
    expect(listed.body).toMatchObject({ resources: [{ source: "file", shadowed: true, resourceVersion: "1" }] });
    await rm(pushed.plane.directory.at("config/b.yaml"));
    await pushed.plane.until<{ lastAttempt: { diagnostics: object[] } }>(
      "/v1/status",
      (status) => status.lastAttempt.diagnostics.length === 0,
    );
    expect(await dump()).toContain("/stored");
  });
});

describe("a rollback", () => {
  it("is a new version with the resources of an earlier one, by number, digest or default", async () => {
    await using pushed = await Pushed.start();
    const first = await pushed.apply(route("one", "/a"));
    await pushed.apply(`${route("one", "/b")}---\n${route("two", "/b")}`);
    const back = (body: object) =>
      pushed.send("POST", "/v1/rollback?wait=0", JSON.stringify(body), { "content-type": "application/json" });
    const answer = await back({});
    expect(answer.body).toMatchObject({ number: 3, version: first.body.version });
    expect(await pushed.names()).toEqual(["one"]);
    expect((await back({ to: 2 })).body.number).toBe(4);
    expect(await pushed.names()).toEqual(["one", "two"]);
    expect((await back({ to: first.body.version })).body.number).toBe(5);
    expect((await back({ to: 99 })).status).toBe(404);
    expect((await pushed.versions())[0]).toMatchObject({ number: 5, restores: 3, state: "current" });
    expect((await back({ to: 0 })).body).toMatchObject({ number: 6, changes: [{ change: "removed" }] });
  });
});

describe("a version that an edge refuses", () => {
  it("is taken back everywhere by a version that says who and why, and so is its author told", async () => {
    await using pushed = await Pushed.start();
    using good = await FakeEdge.greet(pushed.plane.socketPath, "edge-1");
    using bad = await FakeEdge.greet(pushed.plane.socketPath, "edge-2");
    const before = await good.accept();
    await bad.accept();
    const answer = pushed.apply(route("one", "/a"), "wait=10");
    await good.accept();
    bad.nack((await bad.expect("commit")).version, "cannot listen");
    expect((await good.accept()).version).toBe(before.version);
    expect((await bad.accept()).version).toBe(before.version);
    const { status, body } = await answer;
    expect([status, body.failure, body.undoneBy]).toEqual([409, "rolled-back", 2]);
    expect(body.detail).toContain("edge-2, worker 1: cannot listen");
    const [undo, refused] = await pushed.versions();
    expect(undo).toMatchObject({ number: 2, author: "sluice", restores: 0, refused: [1], state: "current" });
    expect(refused).toMatchObject({ number: 1, state: "refused", refusal: "edge-2, worker 1: cannot listen" });
    expect(await pushed.names()).toEqual([]);
    expect((await pushed.plane.get("/v1/status")).body).toMatchObject({
      number: 2,
      rollback: { number: 2, refused: [1], reason: "edge-2, worker 1: cannot listen" },
    });
  });

  it.each([
    ["does not take with it what others pushed meanwhile", "good", ["good"]],
    ["does not put back what was replaced since", "bad", ["bad"]],
  ])("%s", async (_claim, second, names) => {
    await using pushed = await Pushed.start();
    using edge = await FakeEdge.greet(pushed.plane.socketPath, "edge-1");
    await edge.accept();
    await pushed.apply(route("bad", "/a"));
    const refused = await edge.expect("commit");
    // The edge is busy with the bad one, so this one waits.
    const later = pushed.apply(route(second, "/b"), "wait=10");
    await pushed.plane.until<{ number: number }>("/v1/status", ({ number }) => number === 2);
    edge.nack(refused.version, "no");
    const { version } = await pushed.plane.until<{ number: number; version: string }>(
      "/v1/status",
      ({ number }) => number === 3,
    );
    while ((await edge.accept()).version !== version);
    expect((await later).body).toMatchObject({ number: 2, convergence: { state: "converged" } });
    expect(await pushed.names()).toEqual(names);
    expect(JSON.stringify((await pushed.plane.get("/v1/resources?source=store")).body)).not.toContain('"/a"');
    expect((await pushed.versions())[0]).toMatchObject({ number: 3, refused: [1], restores: null });
  });

  it("from before a restart is taken back to what the edges say they serve", async () => {
    await using pushed = await Pushed.start();
    const served = (await pushed.apply(route("one", "/a"))).body.version;
    await pushed.apply(route("two", "/a"));
    await pushed.plane.restart();
    await pushed.plane.until<{ version: string | null }>("/v1/status", ({ version }) => version !== null);
    using edge = await FakeEdge.greet(pushed.plane.socketPath, "edge-1", [], served);
    edge.nack((await edge.expect("commit")).version, "no");
    expect((await edge.accept()).version).toBe(served);
    expect(await pushed.names()).toEqual(["one"]);
    expect((await pushed.versions())[0]).toMatchObject({ number: 3, refused: [2], restores: 1 });
  });
});

describe("what was pushed", () => {
  it("is answered when ctrl ends before the edges do", async () => {
    const pushed = await Pushed.start();
    using edge = await FakeEdge.greet(pushed.plane.socketPath, "edge-1");
    edge.ack((await edge.expect("commit")).version);
    const pending = pushed.apply(route("kept", "/a"), "wait=60");
    await edge.expect("commit");
    await pushed[Symbol.asyncDispose]();
    expect(await pending).toMatchObject({ status: 200, body: { number: 1, convergence: { state: "no-edges" } } });
  });

  it("is there after a restart, and compiles to the same table", async () => {
    await using pushed = await Pushed.start();
    const { version } = (await pushed.apply(`${route("two", "/b")}---\n${route("one", "/a")}`)).body;
    await pushed.plane.restart();
    const status = await pushed.plane.until<{ version: string | null; number: number }>(
      "/v1/status",
      (body) => body.version !== null,
    );
    expect([status.version, status.number]).toEqual([version, 1]);
    expect(await pushed.names()).toEqual(["one", "two"]);
    // What it was read from again is no version of its own.
    const listed = (await pushed.plane.get("/v1/versions")).body as Listed[];
    expect(listed.map(({ number, state }) => [number, state])).toEqual([[1, "current"]]);
  });

  it("shows of a Secret its keys only, and what was read cannot be written back", async () => {
    await using pushed = await Pushed.start();
    const secret = (content: string) =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { password: "${content}" }\n`;
    await pushed.apply(secret("hunter2"));
    await pushed.apply(secret("hunter3"));
    const texts = await Promise.all(
      ["/v1/resources", "/v1/resources/Secret/default/s", "/v1/versions/2", "/v1/versions", "/v1/status"].map(
        async (url) => JSON.stringify((await pushed.plane.get(url)).body),
      ),
    );
    expect(texts.join()).not.toContain("hunter");
    expect(texts[1]).toContain('"password":"[redacted]"');
    const json = { "content-type": "application/json" };
    const { status, body } = await pushed.send("PUT", "/v1/resources/Secret/default/s", texts[1], json);
    expect([status, body.failure]).toEqual([422, "redacted"]);
  });
});
