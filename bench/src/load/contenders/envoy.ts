// Envoy: bench/peers/envoy.yaml, when ENVOY_BIN names a binary.
import { execFileSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
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

const binary = process.env["ENVOY_BIN"] ?? "";

export const envoy: ContenderKind = {
  name: "envoy",
  title: "Envoy, bench/peers/envoy.yaml (ENVOY_BIN names its binary)",
  isNodeProxy: false,
  isSluice: false,
  missing() {
    if (binary === "") return "ENVOY_BIN is not set";
    return isInstalled(binary) ? null : `ENVOY_BIN names ${binary}, which is no program`;
  },
  version: () => execFileSync(binary, ["--version"], { encoding: "utf8" }).trim(),
  canServe: (site, door) => hasAllDoors(site) || door === "plain",
  start,
};

async function start(world: World, site: Site): Promise<Contender> {
  const [admin = 0, plain = 0, tls = 0, h2 = 0, mtls = 0] = await freePorts(5);
  const directory = await mkdtemp(join(world.directory, "envoy-"));
  const accessLog = join(directory, "access.log");
  const { certificate, key, ca } = serverFiles(world.directory, site.key);
  const path = await writePeerFile(directory, "envoy.yaml", {
    admin,
    plain,
    tls,
    h2,
    mtls,
    certificate,
    key,
    ca,
    accessLog: JSON.stringify(site.hasAccessLog ? [fileLog(accessLog)] : []),
    virtualHosts: JSON.stringify(virtualHosts(site)),
    backend: site.upstream === "echo" ? world.echoPort : world.backendPort,
  });
  const args = ["-c", path, "--concurrency", String(site.workers), "--log-level", "critical", "--disable-hot-restart"];
  const started = world.processes.start(binary, args, { cores: world.machine.contenderCores(site.workers) });
  await until(() => answers(plain, site), started);
  return {
    name: envoy.name,
    process: started,
    doors: { plain, tls, h2, mtls },
    accessLog,
    readyMs: performance.now() - started.startedAt,
    workerPids: () => Promise.resolve([started.pid]),
  };
}

function fileLog(path: string): object {
  const type = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
  return {
    name: "envoy.access_loggers.file",
    typed_config: { "@type": type, path },
  };
}

function virtualHosts(site: Site): object[] {
  const routes = Array.from({ length: site.routes }, (_, index) => ({
    match: { prefix: routePrefix(site, index) },
    route: { cluster: "backend", timeout: "0s" },
  }));
  return Array.from({ length: site.hosts }, (_, index) => ({
    name: `host-${index}`,
    domains: [hostName(index), `${hostName(index)}:*`],
    routes,
  }));
}
