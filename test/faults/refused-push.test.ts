// A push that one worker of an edge cannot serve is taken back everywhere, in the store too, and everybody is told who refused it and why.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, expect, test } from "vitest";
import { runSluice } from "../support/command.ts";
import { documents, gatewayResource, httpServer, virtualService } from "../support/config.ts";
import { ControlApi } from "../support/control-api.ts";
import { curl } from "../support/curl.ts";
import { engineLanes, isUwsAvailable } from "../support/engines.ts";
import { holdPort } from "../support/free-port.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const backend = await startHttpbin({ name: "app" });
afterAll(() => backend.close());
const run = promisify(execFile);

/** A second listener, and beside it something that could be served: a route for a new name on port 80. */
const secondListener = documents(
  gatewayResource("second", [httpServer([siteHost], { port: 9000 }), httpServer(["new.example"])]),
  virtualService("second", { hosts: [siteHost, "new.example"], gateways: ["second"], destination: "app" }),
);

interface Version {
  readonly number: number | null;
  readonly author: string | null;
  readonly state: string;
  readonly refusal: string;
  readonly refused: readonly number[];
}

/** @param relent what refused it ends */
async function expectTakenBack(
  world: Gateway,
  why: RegExp,
  relent: () => Promise<unknown> = async () => {},
): Promise<void> {
  const api = new ControlApi(world.ready.ctrl);
  const { status, body } = await api.apply(secondListener, "wait=30");
  expect([status, body.failure, body.undoneBy]).toEqual([409, "rolled-back", 2]);
  expect(body.detail).toMatch(why);
  const versions = (await api.ask<Version[]>("/v1/versions")).body;
  const [undo, refused] = versions.filter(({ number }) => number !== null);
  expect(undo).toMatchObject({ number: 2, author: "sluice", state: "current", refused: [1] });
  expect(refused).toMatchObject({ number: 1, state: "refused", refusal: expect.stringMatching(why) as string });
  const { version, edges, rollback } = (await api.ask<StatusBody>("/v1/status")).body;
  expect(rollback).toMatchObject({ number: 2, refused: [1], reason: expect.stringMatching(why) as string });
  expect(edges[0]?.workers.map((worker) => worker.version)).toEqual([version, version]);
  expect(version).toBe(world.ready.version);
  await relent();
  // Nothing of it is served, and nothing of it is in the way of the next push.
  const { status: served } = await curl("-H", "host: new.example", world.url(80, "/get"));
  expect(served).toBe(404);
  const next = await api.apply(
    documents(virtualService("other", { hosts: ["other.example"], gateways: ["site"], destination: "app" })),
    "wait=30",
  );
  expect([next.status, next.body.convergence.state]).toEqual([200, "converged"]);
}

interface StatusBody {
  readonly version: string;
  readonly edges: readonly { readonly workers: readonly { readonly pid: number; readonly version: string }[] }[];
  readonly rollback: object | null;
}

test.each(engineLanes)("$name: a push that needs a port of another process is taken back", async ({ edge }) => {
  await using holder = await holdPort();
  await using world = await gateway({
    config: simpleSite(backend.port),
    edge: { ...edge, ports: { 80: 0, 9000: holder.port } },
  });
  await expectTakenBack(world, /edge-1.*cannot listen on 127\.0\.0\.1:\d+: the port is in use/);
  const { stdout, code } = await runSluice(["status", "--ctrl", world.ready.ctrl]);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/taken back +version 1 by version 2, .* ago: edge-1.*cannot listen/),
  ]);
});

// Only with uWebSockets.js does a worker open sockets of its own.
test.runIf(isUwsAvailable && process.platform === "linux")(
  "a push that one worker of two cannot serve, having no file descriptors left, is taken back from both",
  async () => {
    await using world = await gateway({ config: simpleSite(backend.port), ports: [80, 9000] });
    const pid = (await world.status()).edges[0]?.workers[1]?.pid ?? 0;
    // The next descriptor is the lowest free number: with a limit of just that, there is none.
    const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    let lowestFree = 0;
    while (open.has(lowestFree)) lowestFree++;
    const limit = async (soft: string) => await run("prlimit", ["--pid", String(pid), `--nofile=${soft}:`]);
    const [, before = ""] = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8")) ?? [];
    await limit(String(lowestFree));
    await expectTakenBack(world, /edge-1, worker 2: /, async () => await limit(before));
  },
);
