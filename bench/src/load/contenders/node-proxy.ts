// The Node proxies, each a program of src/peers: one process, HTTP/1.1 in clear and over node:https
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PeerSettings } from "../../peers/settings.ts";
import { serverFiles } from "../certificates.ts";
import { type Contender, type ContenderKind, hasAllDoors, type Site, type World } from "../contender.ts";
import { answers, freePorts, isListening } from "../ports.ts";
import { until } from "../processes.ts";

interface NodeProxyOptions {
  readonly name: string;
  /** Its package. */
  readonly packageName: string;
  readonly forwardsWebSockets: boolean;
}

function nodeProxy({ name, packageName, forwardsWebSockets }: NodeProxyOptions): ContenderKind {
  return {
    name,
    title: `${packageName}, bench/src/peers/${name}.ts`,
    isNodeProxy: true,
    isSluice: false,
    missing: () => null,
    version: () => `${packageName} ${versionOf(packageName)}`,
    canServe: (site, door) =>
      hasAllDoors(site) &&
      site.workers === 1 &&
      (site.upstream === "answers" || forwardsWebSockets) &&
      (door === "plain" || door === "tls"),
    start: (world, site) => start(name, world, site),
  };
}

export const nodeProxies: readonly ContenderKind[] = [
  nodeProxy({ name: "http-proxy-3", packageName: "http-proxy-3", forwardsWebSockets: true }),
  nodeProxy({ name: "fastify-http-proxy", packageName: "@fastify/http-proxy", forwardsWebSockets: true }),
  nodeProxy({ name: "fast-gateway", packageName: "fast-gateway", forwardsWebSockets: false }),
];

async function start(name: string, world: World, site: Site): Promise<Contender> {
  const [plain = 0, tls = 0] = await freePorts(2);
  const { certificate, key } = serverFiles(world.directory, site.key);
  const backend = site.upstream === "echo" ? world.echoPort : world.backendPort;
  const accessLog = join(await mkdtemp(join(world.directory, `${name}-`)), "access.log");
  const settings: PeerSettings = {
    plain,
    tls,
    target: `http://127.0.0.1:${backend}`,
    certificate,
    key,
    accessLog: site.hasAccessLog ? accessLog : null,
  };
  const program = fileURLToPath(new URL(`../../peers/${name}.js`, import.meta.url));
  const cores = world.machine.contenderCores(site.workers);
  const started = world.processes.start(process.execPath, [program, JSON.stringify(settings)], { cores });
  await until(async () => (await answers(plain, site)) && (await isListening(tls)), started);
  return {
    name,
    process: started,
    doors: { plain, tls },
    accessLog,
    readyMs: performance.now() - started.startedAt,
    workerPids: () => Promise.resolve([started.pid]),
  };
}

function versionOf(packageName: string): string {
  const require = createRequire(import.meta.url);
  // Not by `require(…/package.json)`: a package may not export it.
  const paths = require.resolve.paths(packageName) ?? [];
  for (const path of paths) {
    try {
      return (JSON.parse(readFileSync(`${path}/${packageName}/package.json`, "utf8")) as { version: string }).version;
    } catch {
      // The next folder up.
    }
  }
  return "of unknown version";
}
