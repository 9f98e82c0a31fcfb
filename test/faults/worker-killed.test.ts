// `kill -9` of a worker under load, on both engines.
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, describe, expect, test } from "vitest";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { eventually } from "../support/eventually.ts";
import { startFreshConnections } from "../support/fresh-connections.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { hasWrk, startWrk } from "../support/load.ts";
import { kill, workerPids } from "../support/processes.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const backend = await startHttpbin({ name: "app" });
afterAll(() => backend.close());

const kills = 3;
const keptConnections = 8;
const newConnections = 4;
const changesBetweenKills = 6;
const path = "/delay/0.01";

/** Waits until every worker serves this version (the live one), and none of them is the victim. */
async function untilReplaced(world: Gateway, victim: number, expected?: string): Promise<void> {
  await eventually("a replacement that serves the live version", async () => {
    const { version, edges } = await world.status();
    const workers = edges[0]?.workers ?? [];
    const isBack = workers.every((worker) => worker.pid !== victim && worker.version === (expected ?? version));
    return workers.length === 2 && isBack ? true : null;
  });
}

interface Death {
  readonly killedAtMs: number;
  /** When the primary said so. */
  readonly noticedAtMs: number;
  readonly backAtMs: number;
}

async function killOneByOne(world: Gateway): Promise<Death[]> {
  const deaths: Death[] = [];
  for (let count = 0; count < kills; count++) {
    const pids = await workerPids(world);
    const victim = pids[count % pids.length] ?? 0;
    const noticed = world.edge.stderr.next((line) => line.includes("worker ended unexpectedly"));
    const killedAtMs = performance.now();
    kill(victim);
    await noticed;
    const noticedAtMs = performance.now();
    await untilReplaced(world, victim);
    deaths.push({ killedAtMs, noticedAtMs, backAtMs: performance.now() });
  }
  return deaths;
}

describe.each(engineLanes)("$name", ({ name, edge, expected }) => {
  test.skipIf(!hasWrk)("a killed worker loses only what was in flight on it, and is replaced", async () => {
    await using world = await gateway({
      config: simpleSite(backend.port),
      edge: { ...edge, accessLog: { path: "off" } },
      ports: [80],
    });
    expect(world.engine(80)).toBe(expected);
    const kept = startWrk({ url: world.url(80, path), connections: keptConnections, headers: { Host: siteHost } });
    const port = world.port(80);
    const fresh = startFreshConnections({ port, host: siteHost, path, clients: newConnections, authorityPem: null });
    const stopLoads = () => Promise.all([kept.stop(), fresh.stop()]);
    const deaths = await killOneByOne(world).catch(async (error: unknown) => {
      await stopLoads();
      throw error;
    });
    const [keptReport, freshReport] = await stopLoads();
    const backAfter = deaths.map(({ killedAtMs, backAtMs }) => Math.round(backAtMs - killedAtMs));
    const lost = `${keptReport.brokenConnections} on kept connections, ${freshReport.brokenConnections} on new ones`;
    console.info(`${name}: workers back after ${backAfter.join(", ")} ms; requests lost: ${lost}`);
    for (const { failedRequests, output } of [keptReport, freshReport]) expect(failedRequests, output).toBe(0);
    // In flight means begun before the death was noticed: whatever began later was served by those who live.
    const isInFlight = (begunAtMs: number) =>
      deaths.some((death) => begunAtMs > death.killedAtMs - 1000 && begunAtMs < death.noticedAtMs);
    expect(
      freshReport.failedBeginsMs.filter((ms) => !isInFlight(ms)),
      freshReport.output,
    ).toEqual([]);
    // One on each connection, and one more where wrk came back in the instant before the kernel took the dead worker's port away.
    expect(keptReport.brokenConnections, keptReport.output).toBeLessThanOrEqual(kills * keptConnections * 2);
    expect(await world.metrics()).toMatch(/sluice_worker_restarts_total\S* 3/);
  });
});

test("a worker killed in the middle of changes does not keep any of them from going live", async () => {
  await using world = await gateway({ config: simpleSite(backend.port), ports: [80] });
  for (let change = 1; change <= changesBetweenKills; change++) {
    const victim = (await workerPids(world))[change % 2] ?? 0;
    const live = world.reload(simpleSite(backend.port, { prefixes: [`/anything/${change}`] }));
    kill(victim);
    const version = await live;
    expect((await curl("-H", `host: ${siteHost}`, world.url(80, `/anything/${change}`))).status).toBe(200);
    // Every worker: the replacement may still be on its way when the change is live in the table.
    await untilReplaced(world, victim, version);
  }
});
