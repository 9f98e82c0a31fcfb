// A tier of machines: three edges, two ctrls that read one configuration, mutual TLS between all of them.
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, virtualService } from "../support/config.ts";
import { eventually } from "../support/eventually.ts";
import { startFreshConnections } from "../support/fresh-connections.ts";
import { freePort, holdPort } from "../support/free-port.ts";
import { kill, pidOf } from "../support/processes.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";
import { type Tier, tier, type TierCtrl } from "../support/tier.ts";

const backend = await startHttpbin({ name: "app" });
const extraPort = await freePort();
let world: Tier;
/** The one that edges try first, and the one they go to when it is gone. */
let first: TierCtrl;
let second: TierCtrl;

beforeAll(async () => {
  const ports = { 80: 0, [extraPort]: extraPort };
  world = await tier({ config: simpleSite(backend.port), ctrls: 2, edges: 3, ports });
  [first, second] = world.ctrls as [TierCtrl, TierCtrl];
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await backend.close();
});

/** Routes of the site, by prefix: every call makes another version. */
async function route(...prefixes: string[]): Promise<void> {
  await world.write(simpleSite(backend.port, { prefixes }));
}

async function versionOf(ctrl: TierCtrl): Promise<string | null> {
  return (await ctrl.status()).version;
}

async function answers(path: string): Promise<number[]> {
  return await Promise.all(world.edges.map((edge) => edge.ask(siteHost, path)));
}

/** Fresh connections to every edge while `action` runs: none may fail. */
async function underLoad(action: () => Promise<void>): Promise<void> {
  const common = { host: siteHost, path: "/get", clients: 1, authorityPem: null };
  const loads = world.edges.map((edge) =>
    startFreshConnections({ ...common, address: edge.address, port: edge.port(80) }),
  );
  try {
    await action();
  } finally {
    for (const { failedRequests, brokenConnections, output } of await Promise.all(loads.map((load) => load.stop())))
      expect([failedRequests, brokenConnections], output).toEqual([0, 0]);
  }
}

test("a change is live in every worker of every edge, and only the change crossed the wire", async () => {
  const { version: before, edges } = await first.untilConverged(world.ids);
  expect(edges.map(({ address }) => address.split(":")[0])).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
  await route("/get", "/headers");
  const status = await first.untilConverged(world.ids, (version) => version !== before);
  expect(await answers("/headers")).toEqual([200, 200, 200]);
  expect(await answers("/anything")).toEqual([404, 404, 404]);
  expect(status.edges.map(({ lastCommit }) => lastCommit)).toMatchObject([
    { resources: 1, version: status.version },
    { resources: 1, version: status.version },
    { resources: 1, version: status.version },
  ]);
});

test("a stopped edge does not keep the others from a new version, goes on serving, and catches up", async () => {
  const before = await versionOf(first);
  const [stopped, ...others] = world.edges;
  const pid = pidOf(stopped!.program, "edge");
  process.kill(pid, "SIGSTOP");
  try {
    await route("/get", "/status");
    await first.untilConverged(
      others.map(({ id }) => id),
      (version) => version !== before,
    );
    const edge = (await first.status()).edges.find(({ id }) => id === stopped!.id);
    expect(edge).toMatchObject({ version: before, pending: await versionOf(first) });
    expect(await answers("/status/204")).toEqual([404, 204, 204]);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await first.untilConverged(world.ids);
  expect(await answers("/status/204")).toEqual([204, 204, 204]);
});

test("what one edge cannot serve is taken back on all, and status says who and why", async () => {
  const { version: before } = await first.untilConverged(world.ids);
  const culprit = world.edges[1]!;
  await using held = await holdPort(culprit.address, extraPort);
  const extra = documents(
    gatewayResource("extra", [httpServer(["extra.example"], { port: held.port }), httpServer(["extra.example"])]),
    virtualService("extra", { hosts: ["extra.example"], gateways: ["extra"], destination: "app" }),
  );
  await world.write({ "extra.yaml": extra });
  const nack = await eventually("the nack", async () => {
    const edge = (await first.status()).edges.find(({ id }) => id === culprit.id);
    return edge?.nack ?? null;
  });
  expect(nack.reason).toContain(`${culprit.address}:${extraPort}: the port is in use`);
  await first.untilConverged(world.ids, (version) => version === before);
  expect(await Promise.all(world.edges.map((edge) => edge.ask("extra.example", "/get")))).toEqual([404, 404, 404]);
  await world.write({ "extra.yaml": "# taken away\n" });
});

test("kill -9 of ctrl fails no request; edges go to the next, which knows since when each worker serves", async () => {
  const old = await versionOf(first);
  await route("/get", "/headers");
  const { edges: before, version } = await first.untilConverged(world.ids, (one) => one !== old);
  await eventually("the same version at the other ctrl", async () =>
    (await versionOf(second)) === version ? true : null,
  );
  await underLoad(async () => {
    kill(first.program.pid);
    const { edges } = await second.untilConverged(world.ids);
    const lives = (list: typeof edges) => new Map(list.map(({ id, workers }) => [id, workers]));
    expect(lives(edges)).toEqual(lives(before));
    // Nothing but greetings: the version is known there.
    for (const { lastCommit } of edges) expect(lastCommit).toMatchObject({ resources: 0 });
    await route("/get", "/stream");
    await second.untilConverged(world.ids, (one) => one !== version);
    expect(await answers("/stream/1")).toEqual([200, 200, 200]);
  });
});

test("an edge stays with the ctrl it has when the one it had comes back, and renewed certificates part nobody", async () => {
  await world.renew("ctrl-2", { client: false });
  for (const id of world.ids) await world.renew(id, { client: true });
  await first.restart();
  const before = await versionOf(second);
  await route("/get", "/bytes");
  await second.untilConverged(world.ids, (version) => version !== before);
  expect((await first.status()).edges).toEqual([]);
});

test("with no ctrl at all traffic goes on, and an edge that starts serves its last good table", async () => {
  await underLoad(async () => {
    kill(first.program.pid);
    kill(second.program.pid);
    await Promise.all(world.edges.map(({ program }) => program.stderr.next((line) => line.includes("trying on"))));
  });
  const [edge] = world.edges;
  expect(await edge!.program.stop()).toBe(0);
  await edge!.restart();
  expect(edge!.ready?.ctrl).toBeNull();
  expect(await answers("/bytes/1")).toEqual([200, 200, 200]);
  // And takes what comes when there is one again.
  await route("/get", "/anything");
  await first.restart();
  const { edges } = await first.untilConverged(world.ids);
  expect(await answers("/anything")).toEqual([200, 200, 200]);
  // The new ctrl does not know what they served: it asked what they hold.
  for (const { lastCommit } of edges) expect(lastCommit).toMatchObject({ resources: 1 });
});

test("one of a thousand virtual services is less than a five-hundredth of the table on the wire", async () => {
  const many = (changed: string) =>
    documents(
      ...Array.from({ length: 1000 }, (_, index) => {
        const hosts = [`host-${index}.example`];
        const prefixes = [index === 500 ? changed : "/"];
        return virtualService(`many-${index}`, { hosts, gateways: ["many"], destination: "app", prefixes });
      }),
    );
  const gate = documents(gatewayResource("many", [httpServer(["*.example"])]));
  const before = await first.untilConverged(world.ids);
  await world.write({ "many-gate.yaml": gate, "many.yaml": many("/get") });
  const whole = await first.untilConverged(world.ids, (version) => version !== before.version);
  await world.write({ "many.yaml": many("/headers") });
  const after = await first.untilConverged(world.ids, (version) => version !== whole.version);
  const statuses = await Promise.all(world.edges.map((edge) => edge.ask("host-500.example", "/headers")));
  expect(statuses).toEqual([200, 200, 200]);
  for (const [index, { lastCommit }] of after.edges.entries()) {
    expect(lastCommit).toMatchObject({ version: after.version, resources: 1 });
    expect((lastCommit?.bytes ?? 0) * 500).toBeLessThan(whole.edges[index]?.lastCommit?.bytes ?? 0);
  }
});
