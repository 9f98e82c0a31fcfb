// nginx as a proxy: bench/peers/nginx.conf, with a server block a host and a location a route.
import { execFileSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { type ServerFiles, serverFiles } from "../certificates.ts";
import {
  type Contender,
  type ContenderKind,
  type Door,
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

export const nginx: ContenderKind = {
  name: "nginx",
  title: "nginx, bench/peers/nginx.conf",
  isNodeProxy: false,
  isSluice: false,
  missing: () => (isInstalled("nginx") ? null : "nginx is not installed (Debian: nginx-light)"),
  version: () =>
    execFileSync("sh", ["-c", "nginx -v 2>&1"], { encoding: "utf8" }).trim().replace("nginx version: ", ""),
  canServe: (site, door) => hasAllDoors(site) || door === "plain",
  start,
};

async function start(world: World, site: Site): Promise<Contender> {
  const [plain = 0, tls = 0, h2 = 0, mtls = 0] = await freePorts(4);
  const doors = { plain, tls, h2, mtls };
  const directory = await mkdtemp(join(world.directory, "nginx-"));
  const accessLog = join(directory, "access.log");
  const files = serverFiles(world.directory, site.key);
  const path = await writePeerFile(directory, "nginx.conf", {
    directory,
    workers: site.workers,
    openFiles: world.machine.openFiles,
    accessLog: site.hasAccessLog ? `access_log ${accessLog} combined buffer=64k flush=1s;` : "access_log off;",
    certificate: files.certificate,
    key: files.key,
    backend: site.upstream === "echo" ? world.echoPort : world.backendPort,
    upgrade: connectionHeaders(site),
    servers: servers(site, doors, files),
  });
  const started = world.processes.start("nginx", ["-c", path], { cores: world.machine.contenderCores(site.workers) });
  await until(() => answers(plain, site), started);
  return {
    name: nginx.name,
    process: started,
    doors,
    accessLog,
    readyMs: performance.now() - started.startedAt,
    workerPids: () => Promise.resolve(childPids(started.pid)),
    reload: async () => void process.kill(started.pid, "SIGHUP"),
  };
}

/** Connections to the backend are kept by an empty Connection; an upgrade needs its own. */
function connectionHeaders(site: Site): string {
  if (site.upstream === "answers") return '  proxy_set_header Connection "";';
  return "  proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection upgrade;\n  proxy_read_timeout 3600s;";
}

function servers(site: Site, doors: Readonly<Record<Door, number>>, files: ServerFiles): string {
  const locations = Array.from(
    { length: site.routes },
    (_, index) => `location ${routePrefix(site, index)} { proxy_pass http://backend; }`,
  ).join("\n");
  const listen = `listen 127.0.0.1:${doors.plain} backlog=4096;`;
  if (!hasAllDoors(site)) {
    const names = Array.from({ length: site.hosts }, (_, index) => hostName(index));
    const server = (name: string, index: number) =>
      `server { ${index === 0 ? listen : `listen 127.0.0.1:${doors.plain};`} server_name ${name}; ${locations} }`;
    return names.map(server).join("\n");
  }
  const encrypted = `listen 127.0.0.1:${doors.tls} ssl backlog=4096; listen 127.0.0.1:${doors.h2} ssl http2 backlog=4096;`;
  const mutual = `listen 127.0.0.1:${doors.mtls} ssl backlog=4096; ssl_client_certificate ${files.ca}; ssl_verify_client on;`;
  return `server { ${listen} ${encrypted} ${locations} }\nserver { ${mutual} ${locations} }`;
}
