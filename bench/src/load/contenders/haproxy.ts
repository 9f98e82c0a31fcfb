// HAProxy: bench/peers/haproxy.cfg, with a map of hosts and a map of path prefixes where a site has many.
import { execFileSync } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serverFiles } from "../certificates.ts";
import {
  type Contender,
  type ContenderKind,
  hasAllDoors,
  hostName,
  routePrefix,
  type Site,
  type World,
} from "../contender.ts";
import { freePorts, answers } from "../ports.ts";
import { isInstalled, until } from "../processes.ts";
import { writePeerFile } from "../template.ts";
import { childPids } from "./children.ts";

export const haproxy: ContenderKind = {
  name: "haproxy",
  title: "HAProxy, bench/peers/haproxy.cfg",
  isNodeProxy: false,
  isSluice: false,
  missing: () => (isInstalled("haproxy") ? null : "haproxy is not installed (Debian: haproxy)"),
  version: () => /HAProxy version \S+/.exec(execFileSync("haproxy", ["-v"], { encoding: "utf8" }))?.[0] ?? "HAProxy",
  canServe: (site, door) => hasAllDoors(site) || door === "plain",
  start,
};

async function start(world: World, site: Site): Promise<Contender> {
  const [plain = 0, tls = 0, h2 = 0, mtls = 0] = await freePorts(4);
  const directory = await mkdtemp(join(world.directory, "haproxy-"));
  const accessLog = join(directory, "access.log");
  const files = serverFiles(world.directory, site.key);
  const path = await writePeerFile(directory, "haproxy.cfg", {
    directory,
    workers: site.workers,
    openFiles: world.machine.openFiles,
    globalLog: site.hasAccessLog ? "log stdout format raw local0 info" : "",
    log: site.hasAccessLog ? "log global\n  option httplog" : "",
    plain,
    tls,
    h2,
    mtls,
    bundle: files.bundle,
    ca: files.ca,
    routing: await routing(site, directory),
    backend: site.upstream === "echo" ? world.echoPort : world.backendPort,
  });
  const started = world.processes.start("haproxy", ["-W", "-f", path], {
    cores: world.machine.contenderCores(site.workers),
    stdoutFile: accessLog,
  });
  await until(() => answers(plain, site), started);
  return {
    name: haproxy.name,
    process: started,
    doors: { plain, tls, h2, mtls },
    accessLog,
    readyMs: performance.now() - started.startedAt,
    workerPids: () => Promise.resolve(childPids(started.pid)),
    reload: async () => void process.kill(started.pid, "SIGUSR2"),
  };
}

async function routing(site: Site, directory: string): Promise<string> {
  if (hasAllDoors(site)) return "default_backend answers";
  const [key, lines] =
    site.hosts > 1
      ? ["req.hdr(host),lower,map", Array.from({ length: site.hosts }, (_, index) => hostName(index))]
      : ["path,map_beg", Array.from({ length: site.routes }, (_, index) => routePrefix(site, index))];
  const map = join(directory, "routes.map");
  await writeFile(map, lines.map((line) => `${line} answers\n`).join(""));
  return `use_backend %[${key}(${map})]`;
}
