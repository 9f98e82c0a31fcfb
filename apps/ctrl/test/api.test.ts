import { request } from "node:http";
import { connect } from "node:net";
import { text as readText } from "node:stream/consumers";
import { createAuthority } from "@sluice/demo/certificates";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { accessProblem } from "../src/api/access/access-settings.ts";
import { isLoopback, isLoopbackAuthority } from "@sluice/core/settings";
import type { StatusReport } from "../src/api/status.ts";
import { brokenGateway, plainGateway, tlsGateway } from "./support/configurations.ts";
import { FakeEdge } from "./support/fake-edge.ts";
import { RunningPlane } from "./support/running-plane.ts";

async function askRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).end(bytes);
  return await readText(socket);
}

const isLive = ({ version }: StatusReport) => version !== null;

async function livePlane(files: Readonly<Record<string, string>>): Promise<RunningPlane> {
  const plane = await RunningPlane.start(files);
  await plane.until<StatusReport>("/v1/status", isLive);
  return plane;
}

describe("the control API", () => {
  it("tells which worker of which edge serves which version", async () => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const { version } = await edge.expect("commit");
    const listener = { name: "0.0.0.0_8080", address: "0.0.0.0", port: 8080, boundPort: 18080, engine: "uws" } as const;
    edge.say({
      type: "status",
      workers: [{ worker: 1, pid: 10, version, sinceMs: 0, appliedMs: 5 }],
      listeners: [listener],
    });
    edge.ack(version);
    const status = await plane.until<StatusReport>("/v1/status", (body) =>
      JSON.stringify(body.edges).includes('"appliedMs":5'),
    );
    expect(status).toMatchObject({
      version,
      source: plane.directory.at("config"),
      // A file that was just written is read twice; the second attempt may be in already.
      lastAttempt: { ok: true, outcome: expect.stringMatching(/^(published|repeat)$/), version, diagnostics: [] },
      edges: [
        {
          id: "edge-1",
          version,
          pending: null,
          workers: [{ worker: 1, pid: 10, version, since: "1970-01-01T00:00:00.000Z", appliedMs: 5 }],
          listeners: [listener],
          nack: null,
        },
      ],
      pid: process.pid,
    });
    expect(Date.parse(status.since ?? "")).toBeGreaterThan(0);
  });

  it("lists the versions, newest first", async () => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    await plane.save("a.yaml", plainGateway(8081));
    const versions = await plane.until<{ state: string }[]>("/v1/versions", ({ length }) => length === 2);
    expect(versions.map(({ state }) => state)).toEqual(["current", "superseded"]);
  });

  it("dumps one kind of resource, one resource, or everything", async () => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    const everything = await plane.get("/v1/config_dump");
    expect(Object.keys(everything.body as object)).toEqual([
      "version",
      "listeners",
      "routes",
      "clusters",
      "endpoints",
      "secrets",
    ]);
    const listeners = await plane.get("/v1/config_dump?resource=listener");
    expect(listeners.body).toMatchObject([{ name: "0.0.0.0_8080" }]);
    expect((await plane.get("/v1/config_dump?resource=listener&name=other")).body).toEqual([]);
    expect((await plane.get("/v1/config_dump?resource=listener&dialect=istio-1.0")).body).not.toEqual(listeners.body);
  });

  it("never shows a private key", async () => {
    const authority = await createAuthority({ commonName: "test" });
    const { chainPem, keyPem } = await authority.issue({ commonName: "shop", dnsNames: ["shop.example"] });
    await using plane = await livePlane({ "a.yaml": tlsGateway("tls.crt", "tls.key") });
    await writeFile(plane.directory.at("tls.key"), keyPem);
    await writeFile(plane.directory.at("tls.crt"), chainPem);
    const dump = await plane.until<{ secrets: unknown[] }>("/v1/config_dump", (body) =>
      JSON.stringify(body).includes(Buffer.from(chainPem).toString("base64")),
    );
    const body = (line: string | undefined) => line ?? "no key";
    const text = JSON.stringify([dump, (await plane.get("/v1/status")).body, (await plane.get("/v1/versions")).body]);
    expect(text).not.toContain("PRIVATE KEY");
    expect(text).not.toContain(body(keyPem.split("\n")[1]));
    expect(text).not.toContain(Buffer.from(keyPem).toString("base64").slice(0, 40));
    expect(text).toContain("[redacted]");
  });

  it("explains where a request would go", async () => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    const { status, body } = await plane.post("/v1/explain", { port: 8080, host: "shop.example", path: "/cart" });
    expect(status).toBe(200);
    expect(body).toMatchObject({ action: "forward", cluster: "outbound|8000||backend.example", error: null });
    const headers = { "x-a": "1" };
    const other = await plane.post("/v1/explain", { port: 1, host: "shop.example", headers });
    expect(other.body).toMatchObject({ error: "no-listener" });
  });

  it.each([
    ["/v1/config_dump?resource=gateway", 400, "resource: "],
    ["/v1/config_dump?dialect=old", 400, "dialect: "],
    ["/v1/config_dump?resorce=listener", 400, "resorce"],
    ["/v1/nothing", 404, "there is no GET /v1/nothing"],
  ])("answers GET %s with problem %i", async (path, status, detail) => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    const answer = await plane.get(path);
    expect(answer).toMatchObject({ status, type: "application/problem+json", body: { type: "about:blank", status } });
    expect((answer.body as { detail: string }).detail).toContain(detail);
  });

  it("answers questions that make no sense with problems that say why", async () => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    const wrong = await plane.post("/v1/explain", { port: 0, hots: "a" });
    expect(wrong).toMatchObject({ status: 400, type: "application/problem+json" });
    expect((wrong.body as { detail: string }).detail).toMatch(/port: .*host: /);
    const json = { "content-type": "application/json" };
    const garbage = await plane.fetch("/v1/explain", { method: "POST", headers: json, body: "{" });
    expect(garbage).toMatchObject({ status: 400, type: "application/problem+json" });
    const large = JSON.stringify({ port: 1, host: "a", path: "x".repeat(1024 * 1024) });
    const tooLarge = await plane.fetch("/v1/explain", { method: "POST", headers: json, body: large });
    expect(tooLarge).toMatchObject({ status: 413, type: "application/problem+json" });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const foreign = await plane.fetch("/v1/explain", { method: "POST", headers: form, body: "port=1" });
    expect(foreign).toMatchObject({ status: 415, type: "application/problem+json" });
  });

  it("answers with a problem also what is no request to any endpoint", async () => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    const path = "/v1/resources/VirtualService/default";
    for (const [url, status] of [
      [`${path}/%ff`, 400],
      [`${path}/${"n".repeat(300)}`, 414],
    ] as const) {
      expect(await plane.get(url)).toMatchObject({ status, type: "application/problem+json", body: { status } });
    }
    const answer = await askRaw(plane.url, "GARBAGE\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[^]*application\/problem\+json[^]*"status":400/);
  });

  it("does not take a HEAD for somebody who follows the events", async () => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    expect((await fetch(`${plane.url}/v1/events`, { method: "HEAD" })).status).toBe(404);
    expect((await fetch(`${plane.url}/v1/status`, { method: "HEAD" })).status).toBe(200);
  });

  it("is live at once, and ready when there is a version; until then it says what is wrong", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": brokenGateway });
    expect(await plane.get("/healthz/live")).toMatchObject({ status: 200 });
    await plane.until<StatusReport>("/v1/status", ({ lastAttempt }) => lastAttempt !== null);
    for (const path of ["/healthz/ready", "/v1/config_dump"]) {
      const answer = await plane.get(path);
      expect(answer).toMatchObject({ status: 503, body: { diagnostics: [{ line: 5 }] } });
    }
    await plane.save("a.yaml", plainGateway(8080));
    await plane.until<StatusReport>("/v1/status", isLive);
    expect(await plane.get("/healthz/ready")).toMatchObject({ status: 200 });
  });

  it("refuses a request made for another host name: a browser led here by DNS rebinding", async () => {
    await using plane = await livePlane({ "a.yaml": plainGateway(8080) });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${plane.url}/v1/status`, { headers: { host: "rebound.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it("does not start where others could reach it, unless it asks who they are", () => {
    const open = { tokens: [], tls: undefined };
    for (const address of ["0.0.0.0:0", "[::]:0", "192.168.1.1:0", "ctrl.example:0"]) {
      expect(accessProblem({ ...open, address })).toContain("set ctrl.tokens, or ctrl.tls with clientCa");
      const tokens = [{ name: "ci", role: "write" as const, sha256: "0".repeat(64) }];
      expect(accessProblem({ ...open, address, tokens })).toBeNull();
      const tls = { certificate: "a", privateKey: "b", clients: [] };
      expect(accessProblem({ ...open, address, tls })).not.toBeNull();
      expect(accessProblem({ ...open, address, tls: { ...tls, clientCa: "c" } })).toBeNull();
    }
    expect(accessProblem({ ...open, address: "127.0.0.1:0" })).toBeNull();
  });
});

describe("loopback addresses", () => {
  it("are 127.0.0.0/8, ::1 and localhost", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) expect(isLoopback(host)).toBe(true);
    for (const host of ["128.0.0.1", "::", "localhost.example", "127.0.0.1.example", ""]) {
      expect(isLoopback(host)).toBe(false);
    }
  });

  it("may have a port in the Host header", () => {
    for (const host of ["127.0.0.1:15010", "[::1]:15010", "LOCALHOST", "[::1]"])
      expect(isLoopbackAuthority(host)).toBe(true);
    for (const host of [undefined, "", "a.example:80", "127.0.0.1@a.example", "[::1].example", "::1:80"]) {
      expect(isLoopbackAuthority(host)).toBe(false);
    }
  });
});
