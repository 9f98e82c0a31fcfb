// An edge that starts while ctrl is away, and what becomes of the processes when one that looks after others is killed.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, describe, expect, test } from "vitest";
import { curl } from "../support/curl.ts";
import { freePort } from "../support/free-port.ts";
import { type Gateway, gateway, Program, readyLine } from "../support/gateway.ts";
import { isAlive, kill, pidOf, untilGone, workerPids } from "../support/processes.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const backend = await startHttpbin({ name: "app" });
afterAll(() => backend.close());

/** Every port fixed: a program that is started again must get the same ones. */
async function fixedWorld(programs: "up" | "ctrl+edge"): Promise<Gateway> {
  const [http, admin, ctrl] = [await freePort(), await freePort(), await freePort()];
  return gateway({
    config: simpleSite(backend.port),
    edge: { ports: { 80: http } },
    admin: `127.0.0.1:${admin}`,
    ctrl: `127.0.0.1:${ctrl}`,
    programs,
  });
}

const ask = (world: Gateway, path = "/get") => curl("-H", `host: ${siteHost}`, world.url(80, path));

/** 0 when nobody answers. */
const readiness = async (world: Gateway) => (await curl(`${world.ready.admin}/healthz/ready`)).status;

function start(world: Gateway, name: "ctrl" | "edge"): Program {
  const program = new Program([name, "--config", "sluice.yaml"], world.directory);
  world.programs.push(program);
  return program;
}

const lastGood = (world: Gateway) => join(world.directory, ".sluice", "last-good.table");

describe("an edge started while ctrl is down", () => {
  test("serves the last good table, under the same version", async () => {
    await using world = await fixedWorld("ctrl+edge");
    const version = await world.reload(simpleSite(backend.port, { prefixes: ["/headers"] }));
    for (const program of world.programs.splice(0).toReversed()) expect(await program.stop()).toBe(0);
    const edge = start(world, "edge");
    world.ready = await readyLine(edge);
    expect(world.ready.version).toBe(version);
    expect(await readiness(world)).toBe(200);
    expect([(await ask(world, "/headers")).status, (await ask(world, "/get")).status]).toEqual([200, 404]);
  });

  test.each([
    ["cut short", (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ["with one byte changed", (bytes: Buffer) => bytes.with(bytes.length - 20, ~(bytes.at(-20) ?? 0) & 255)],
  ])(
    "with the last good table %s: says so, is alive but not ready, takes a table when ctrl is back",
    async (_, damage) => {
      await using world = await fixedWorld("ctrl+edge");
      for (const program of world.programs.splice(0).toReversed()) await program.stop();
      await writeFile(lastGood(world), damage(await readFile(lastGood(world))));
      const edge = start(world, "edge");
      // Asked for at once: both lines may come in one piece.
      const saysDamaged = edge.stderr.next((line) =>
        line.includes("the last good table on disk is damaged and ignored"),
      );
      const saysAlone = edge.stderr.next((line) => line.includes("cannot reach ctrl"));
      await Promise.all([saysDamaged, saysAlone]);
      expect((await curl(`${world.ready.admin}/healthz/live`)).status).toBe(200);
      expect(await curl(`${world.ready.admin}/healthz/ready`)).toMatchObject({
        status: 503,
        body: "not ready: no table yet\n",
      });
      const ready = readyLine(edge);
      start(world, "ctrl");
      expect((await ready).version).toBe(world.ready.version);
      expect((await ask(world)).status).toBe(200);
    },
  );
});

describe("under up", () => {
  test("a killed edge is started again on the same ports and serves", async () => {
    await using world = await fixedWorld("up");
    const primary = pidOf(world.edge, "edge");
    const workers = await workerPids(world);
    const ready = readyLine(world.edge);
    const killedAt = performance.now();
    kill(primary);
    const next = await ready;
    console.info(`the edge was back after ${Math.round(performance.now() - killedAt)} ms`);
    expect([next.version, next.listeners]).toEqual([world.ready.version, world.ready.listeners]);
    expect((await ask(world)).status).toBe(200);
    // Its workers went with it: none of them still serves what it was told last.
    await untilGone(workers);
    await world.reload(simpleSite(backend.port, { prefixes: ["/headers"] }));
    expect((await ask(world)).status).toBe(404);
  });

  test("when up itself is killed, no child is left behind", async () => {
    await using world = await fixedWorld("up");
    const { pid: ctrl } = await world.status();
    const children = [ctrl, pidOf(world.edge, "edge"), ...(await workerPids(world))];
    expect(children.every(isAlive)).toBe(true);
    kill(world.edge.pid);
    await untilGone(children);
    expect((await ask(world)).code).not.toBe(0);
  });
});
