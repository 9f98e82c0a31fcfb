// What the processes of `sluice up` do before they are ready, as what can be counted: the scripts they have compiled. Node's own are not among them.
import { sep } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, virtualService } from "../support/config.ts";
import { expectWithin } from "./budgets.ts";
import { type ProbedGateway, type ProcessName, probedGateway, type Script } from "./probed-gateway.ts";

let world: ProbedGateway;
beforeAll(async () => {
  const config = documents(
    gatewayResource("main", [httpServer(["*"])]),
    virtualService("app", { hosts: ["app.example"], gateways: ["main"], destination: "app" }),
  );
  world = await probedGateway({ config: { "app.yaml": config }, ports: [80], edge: { accessLog: { path: "off" } } });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Files by path; a CommonJS module that is imported is compiled twice and counted once. */
async function modulesOf(name: ProcessName): Promise<ReadonlyMap<string, Script>> {
  const scripts = await world.probes[name].ask("scripts");
  const files = scripts.filter(({ url }) => /^(file:|\/)/.test(url) && !url.endsWith("/probe.mjs"));
  return new Map(files.map((script) => [pathOf(script.url), script]));
}

function pathOf(url: string): string {
  return url.startsWith("file:") ? fileURLToPath(url) : url;
}

describe.each(["up", "ctrl", "edge", "worker"] as const)("the process %s", (name) => {
  test("loads no more modules, and no more JavaScript", async () => {
    const modules = await modulesOf(name);
    const bytes = [...modules.values()].reduce((sum, script) => sum + script.bytes, 0);
    expectWithin(`${name}-modules`, modules.size);
    expectWithin(`${name}-javascript`, bytes / 1024);
  });
});

/** What belongs to other processes: reading configuration, scraping metrics, pretty printing, the other half of the program. */
const notInWorkers = [
  "node_modules/zod",
  "node_modules/yaml",
  "node_modules/pino-pretty",
  "node_modules/prom-client",
  "node_modules/piscina",
  "node_modules/commander",
  "node_modules/fastest-levenshtein",
  "apps/ctrl/dist",
  "apps/edge/dist/primary",
  ...["parse", "validate", "explain", "dump"].map((folder) => `packages/core/dist/${folder}`),
];

test.each(notInWorkers)("a worker loads nothing of %s", async (folder) => {
  const inFolder = [...(await modulesOf("worker")).keys()].filter((path) => path.includes(`${sep}${folder}${sep}`));
  expect(inFolder).toEqual([]);
});
