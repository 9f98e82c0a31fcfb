// `kill -9` of the control plane: traffic does not notice, and configuration goes on where it stopped.
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, describe, expect, test } from "vitest";
import { curl } from "../support/curl.ts";
import { startFreshConnections } from "../support/fresh-connections.ts";
import { type Gateway, gateway, Program } from "../support/gateway.ts";
import { hasWrk, type Load, startWrk } from "../support/load.ts";
import { kill } from "../support/processes.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const backend = await startHttpbin({ name: "app" });
afterAll(() => backend.close());

const path = "/delay/0.01";
const edge = { accessLog: { path: "off" } };

function startLoads(world: Gateway): Load[] {
  const fresh = { port: world.port(80), host: siteHost, path, clients: 2, authorityPem: null };
  const wrk = { url: world.url(80, path), connections: 4, headers: { Host: siteHost } };
  return [startFreshConnections(fresh), ...(hasWrk ? [startWrk(wrk)] : [])];
}

async function expectNothingFailed(loads: readonly Load[]): Promise<void> {
  for (const { tool, requests, failedRequests, brokenConnections, output } of await Promise.all(
    loads.map((load) => load.stop()),
  )) {
    expect({ tool, failedRequests, brokenConnections }, output).toEqual({
      tool,
      failedRequests: 0,
      brokenConnections: 0,
    });
    expect(requests).toBeGreaterThan(10);
  }
}

/** Only what the new control plane reads can make the edge answer this with 404. */
async function expectNextChangeIsApplied(world: Gateway): Promise<void> {
  await world.reload(simpleSite(backend.port, { prefixes: ["/delay", "/headers"] }));
  const ask = (target: string) => curl("-H", `host: ${siteHost}`, world.url(80, target));
  expect([(await ask("/headers")).status, (await ask("/get")).status]).toEqual([200, 404]);
}

describe("kill -9 of ctrl", () => {
  test("as a program of its own: no request fails, the edge finds the next ctrl and takes its changes", async () => {
    await using world = await gateway({ config: simpleSite(backend.port), edge, ports: [80], programs: "ctrl+edge" });
    const [ctrl] = world.programs as [Program, Program];
    const loads = startLoads(world);
    try {
      const noticed = world.edge.stderr.next((line) => line.includes("ctrl is gone; serving what is live"));
      kill(ctrl.pid);
      await noticed;
      expect((await curl("-H", `host: ${siteHost}`, world.url(80, "/get"))).status).toBe(200);
      // The new one reads the same files: the edge is offered what it serves already, and says so.
      const offered = world.nextTable();
      world.programs.unshift(new Program(["ctrl", "--config", "sluice.yaml"], world.directory));
      expect(await offered).toBe(world.ready.version);
      await expectNextChangeIsApplied(world);
    } finally {
      await expectNothingFailed(loads);
    }
  });

  test("under up: it is started again and takes changes, no request fails", async () => {
    await using world = await gateway({ config: simpleSite(backend.port), edge, ports: [80] });
    const { pid } = await world.status();
    const loads = startLoads(world);
    try {
      const connected = world.edge.stderr.nextJson<{ msg: string; ctrl: string }>(
        ({ msg }) => msg === "connected to ctrl",
      );
      const offered = world.nextTable();
      kill(pid);
      world.ready = { ...world.ready, ctrl: (await connected).ctrl };
      expect(await offered).toBe(world.ready.version);
      expect((await world.status()).pid).not.toBe(pid);
      await expectNextChangeIsApplied(world);
    } finally {
      await expectNothingFailed(loads);
    }
  });
});
