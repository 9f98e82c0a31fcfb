import { rm, writeFile } from "node:fs/promises";
import { decodeTable } from "@sluice/core/wire";
import { createAuthority } from "@sluice/demo/certificates";
import { describe, expect, it } from "vitest";
import type { StatusReport } from "../src/api/status.ts";
import { brokenGateway, plainGateway, tlsGateway } from "./support/configurations.ts";
import { type AcceptedCommit, FakeEdge } from "./support/fake-edge.ts";
import { RunningPlane } from "./support/running-plane.ts";

const day = 86_400_000;

function tableOf(commit: AcceptedCommit) {
  const resources = new Map(commit.resources);
  return decodeTable(commit.manifest, (digest) => resources.get(digest)).table;
}

describe("the control plane", () => {
  it("publishes what the directory holds, and then every change", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const first = await edge.accept();
    expect(tableOf(first).listeners.map(({ name }) => name)).toEqual(["0.0.0.0_8080"]);
    await plane.save("a.yaml", plainGateway(8081));
    const second = await edge.accept();
    expect(second.manifest.filter(({ type }) => type === "listener").map(({ name }) => name)).toEqual(["0.0.0.0_8081"]);
    expect(second.resources.length).toBeLessThan(second.manifest.length);
  });

  it("ranks endpoints by where sluice.yaml says that the gateway runs", async () => {
    const rule =
      "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: r, namespace: default}, spec: {host: backend.example, trafficPolicy: {outlierDetection: {}}}}";
    const endpoints = "[{ address: 127.0.0.1, locality: eu/a }, { address: 127.0.0.2, locality: us/a }]";
    const config = plainGateway(8080).replace("[{ address: 127.0.0.1 }]", endpoints);
    await using plane = await RunningPlane.start({ "a.yaml": config, "b.yaml": rule }, () => ({}), {
      locality: "us/b",
    });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const [cluster] = tableOf(await edge.accept()).clusters;
    expect(cluster?.endpoints.map(({ address, priority }) => [address, priority])).toEqual([
      ["127.0.0.1", 1],
      ["127.0.0.2", 0],
    ]);
  });

  it("keeps the running version while a file is broken, says what is wrong, and goes on when it is mended", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const { version } = await edge.accept();
    await plane.save("a.yaml", brokenGateway);
    const status = await plane.until<StatusReport>("/v1/status", ({ lastAttempt }) => lastAttempt?.ok === false);
    expect(status.version).toBe(version);
    expect(status.lastAttempt).toMatchObject({ outcome: "invalid", version: null });
    expect(status.lastAttempt?.diagnostics).toMatchObject([
      { file: plane.directory.at("config/a.yaml"), line: 5, severity: "error", resource: "Gateway default/shop" },
    ]);
    expect(edge.unread).toBe(0);
    await plane.save("a.yaml", plainGateway(8082));
    expect((await edge.accept()).version).not.toBe(version);
  });

  it("takes a file that becomes empty for half a save, and one that goes away at its word", async () => {
    const second = plainGateway(8081).replaceAll("shop", "other").split("---")[0] ?? "";
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080), "b.yaml": second, "c.yaml": "" });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const { version } = await edge.accept();
    await writeFile(plane.directory.at("config/b.yaml"), " \n");
    const status = await plane.until<StatusReport>("/v1/status", ({ lastAttempt }) => lastAttempt?.ok === false);
    expect(status.version).toBe(version);
    expect(status.lastAttempt?.diagnostics).toMatchObject([
      { code: "empty-file", file: plane.directory.at("config/b.yaml"), line: 1, column: 1 },
    ]);
    expect(edge.unread).toBe(0);
    await rm(plane.directory.at("config/b.yaml"));
    expect((await edge.accept()).manifest.filter(({ type }) => type === "listener")).toHaveLength(1);
    await writeFile(plane.directory.at("config/b.yaml"), second);
    await edge.accept();
  });

  it("obeys when every file is deleted, and says so", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    await edge.accept();
    await rm(plane.directory.at("config/a.yaml"));
    expect((await edge.accept()).manifest).toEqual([]);
    expect(plane.warnings).toContain("the configuration is now empty");
  });

  it("tells a waiting edge why there is nothing when the first configuration is broken", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": brokenGateway });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    expect((await edge.expect("refused")).reason).toContain("config/a.yaml:5:");
  });

  it("rolls back what an edge refuses, withholds it, and tries it again when a comment was added", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const good = await edge.accept();
    await plane.save("a.yaml", plainGateway(80));
    const bad = await edge.expect("commit");
    edge.nack(bad.version, "port 80 is in use");
    expect((await edge.accept()).version).toBe(good.version);
    // The same content in a new file.
    await plane.save("a.yaml", plainGateway(80));
    const status = await plane.until<StatusReport>(
      "/v1/status",
      ({ lastAttempt }) => lastAttempt?.outcome === "withheld",
    );
    expect(status.version).toBe(good.version);
    await plane.save("a.yaml", `${plainGateway(80)}# the port is free now\n`);
    expect((await edge.accept()).version).toBe(bad.version);
  });

  it("publishes a certificate that changes on disk, and keeps the former one while it is broken", async () => {
    const authority = await createAuthority({ commonName: "test" });
    const issue = async () => await authority.issue({ commonName: "shop", dnsNames: ["shop.example"] });
    const [first, second] = [await issue(), await issue()];
    await using plane = await RunningPlane.start({ "a.yaml": tlsGateway("tls.crt", "tls.key") });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const secretOf = (commit: AcceptedCommit) => tableOf(commit).secrets[0];
    expect(secretOf(await edge.accept())?.status).toBe("missing");
    await writeFile(plane.directory.at("tls.key"), first.keyPem);
    await writeFile(plane.directory.at("tls.crt"), first.chainPem);
    // Between the two writes an edge may be sent a pair of which one half is missing.
    let commit = await edge.accept();
    const merge = (next: AcceptedCommit) => ({ ...next, resources: [...commit.resources, ...next.resources] });
    const onlySecret = ({ manifest, resources }: AcceptedCommit) => {
      const entry = manifest.find(({ type }) => type === "secret");
      return entry === undefined ? undefined : resources.find(([digest]) => digest === entry.digest)?.[1];
    };
    while (!Buffer.from(onlySecret(commit) ?? []).includes(first.chainPem)) commit = merge(await edge.accept());
    await writeFile(plane.directory.at("tls.crt"), "-----BEGIN CERTIFICATE-----\nhalf");
    await plane.until<StatusReport>("/v1/status", ({ lastAttempt }) => (lastAttempt?.diagnostics.length ?? 0) > 0);
    expect(edge.unread).toBe(0);
    await writeFile(plane.directory.at("tls.key"), second.keyPem);
    await writeFile(plane.directory.at("tls.crt"), second.chainPem);
    while (!Buffer.from(onlySecret(commit) ?? []).includes(second.chainPem)) commit = merge(await edge.accept());
  });

  it("keeps a certificate back until its time has come, takes it then by itself, and tells when each ends", async () => {
    const authority = await createAuthority({ commonName: "test" });
    const now = Date.now();
    const issue = (notBefore: Date) =>
      authority.issue({
        commonName: "shop",
        dnsNames: ["shop.example"],
        notBefore,
        notAfter: new Date(now + 10 * day),
      });
    // Certificates count in seconds.
    const [first, second] = [await issue(new Date(now - day)), await issue(new Date(now + 6_000))];
    await using plane = await RunningPlane.start({
      "a.yaml": tlsGateway("config/tls.crt", "config/tls.key"),
      "tls.key": first.keyPem,
      "tls.crt": first.chainPem,
    });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    await edge.accept();
    await plane.save("tls.key", second.keyPem);
    await plane.save("tls.crt", second.chainPem);
    const isKeptBack = ({ lastAttempt }: StatusReport) =>
      lastAttempt?.diagnostics.some(({ code }) => code === "certificate-not-yet-valid") ?? false;
    const { version, certificates } = await plane.until<StatusReport>("/v1/status", isKeptBack);
    expect(certificates).toMatchObject([
      { name: "file-cert:config/tls.crt~config/tls.key", kind: "server", daysLeft: 9, stage: "soon" },
    ]);
    expect(plane.warnings).toContainEqual(expect.stringContaining("(server) ends in 9 days"));
    expect(edge.unread).toBe(0);
    const commit = await edge.accept();
    expect(Date.now()).toBeGreaterThan(now + 5_000);
    expect(commit.version).not.toBe(version);
    expect(Buffer.concat(commit.resources.map(([, bytes]) => bytes)).includes(second.chainPem)).toBe(true);
  });
});
