// Sluice, all of it (`sluice up`: supervisor, control plane, edge), in three ways of reading HTTP.
import { once } from "node:events";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { serverFiles } from "../certificates.ts";
import { type Contender, type ContenderKind, type Doors, hasAllDoors, type Site, type World } from "../contender.ts";
import { answers, freePorts } from "../ports.ts";
import { type Processes, type Started, until } from "../processes.ts";
import { declaredPorts, reloadedService, siteDocuments } from "./sluice-site.ts";

const program = fileURLToPath(new URL("../../../node_modules/@sluice/ctrl/bin/sluice.js", import.meta.url));

interface ReadyLine {
  readonly ctrl: string;
  readonly listeners: readonly { readonly boundPort: number; readonly engine: string }[];
}

interface Status {
  readonly edges: readonly { readonly workers: readonly { readonly pid: number }[] }[];
}

function sluice(name: string, edge: object, title: string): ContenderKind {
  return {
    name,
    title,
    isNodeProxy: false,
    isSluice: true,
    missing: () => null,
    version: () => `Sluice on Node.js ${process.version}`,
    canServe: (site, door) => hasAllDoors(site) || door === "plain",
    start: (world, site) => start({ name, edge }, world, site),
  };
}

export const sluices: readonly ContenderKind[] = [
  sluice("auto", {}, "Sluice in its defaults: uWebSockets.js where it is correct to"),
  sluice("node", { engine: "node", codec: "node" }, "Sluice with Node's own HTTP and TLS (engine: node, codec: node)"),
  sluice("own", { engine: "node", codec: "own" }, "Sluice with its own HTTP codecs (engine: node, codec: own)"),
];

async function start(
  { name, edge }: { readonly name: string; readonly edge: object },
  world: World,
  site: Site,
): Promise<Contender> {
  const [plain = 0, tls = 0, h2 = 0, mtls = 0] = await freePorts(4);
  const doors = { plain, tls, h2, mtls };
  const home = await mkdtemp(join(world.directory, `${name}-`));
  await mkdir(join(home, "config"));
  const accessLog = join(home, "access.log");
  const backend = site.upstream === "echo" ? world.echoPort : world.backendPort;
  const documents = siteDocuments(site, serverFiles(world.directory, site.key), backend);
  // JSON is YAML.
  const text = documents.map((document) => JSON.stringify(document)).join("\n---\n");
  await writeFile(join(home, "config/site.yaml"), text);
  const settings = {
    edge: {
      ...edge,
      workers: site.workers,
      bind: "127.0.0.1",
      ports: Object.fromEntries(
        Object.entries(declaredPorts).map(([door, port]) => [port, doors[door as keyof typeof doors]]),
      ),
      drainSeconds: 1,
      accessLog: { path: site.hasAccessLog ? accessLog : "off" },
    },
    admin: { address: "127.0.0.1:0" },
    ctrl: { address: "127.0.0.1:0" },
  };
  const file = join(home, "sluice.yaml");
  await writeFile(file, JSON.stringify(settings));
  const cores = world.machine.contenderCores(site.workers);
  const { started, ready } = await startSluice({ processes: world.processes, cores, file });
  const { ctrl, listeners } = ready;
  await until(() => answers(plain, site), started);
  return {
    name,
    process: started,
    ...("engine" in edge ? {} : { engines: enginesOf(doors, listeners) }),
    doors,
    accessLog,
    readyMs: performance.now() - started.startedAt,
    workerPids: () => workerPidsOf(ctrl),
    reload: (generation) => push(ctrl, generation),
  };
}

function enginesOf(doors: Doors, listeners: ReadyLine["listeners"]): NonNullable<Contender["engines"]> {
  const named = Object.entries(doors).flatMap(([door, port]) => {
    const listener = listeners.find(({ boundPort }) => boundPort === port);
    return listener === undefined ? [] : [[door, listener.engine] as const];
  });
  return Object.fromEntries(named);
}

/** Starts `sluice up` with these settings, which are JSON. It is ready when its line is there. */
export async function startSluice({
  processes,
  cores,
  file,
}: {
  readonly processes: Processes;
  readonly cores: string;
  readonly file: string;
}): Promise<{ readonly started: Started; readonly ready: ReadyLine }> {
  const started = processes.start(process.execPath, [program, "up", "--config", file], { cores });
  return { started, ready: await readyLine(started) };
}

async function readyLine(started: Started): Promise<ReadyLine> {
  const output = started.child.stdout;
  if (output === null) throw new Error("sluice up has no output");
  const [line] = (await Promise.race([once(createInterface(output), "line"), started.ended().then(() => [])])) as [
    string | undefined,
  ];
  if (line === undefined) throw new Error(`sluice up ended before it was ready: ${started.stderr}`);
  return JSON.parse(line) as ReadyLine;
}

/** @param ctrl the URL of its API */
export async function workerPidsOf(ctrl: string): Promise<readonly number[]> {
  const status = (await (await fetch(`${ctrl}/v1/status`)).json()) as Status;
  return status.edges.flatMap(({ workers }) => workers.map(({ pid }) => pid));
}

/** A change through the API, answered when every worker serves it. */
async function push(ctrl: string, generation: number): Promise<void> {
  const body = JSON.stringify(reloadedService(generation));
  const headers = { "content-type": "application/json" };
  const path = "/v1/resources/VirtualService/default/reloaded?wait=60";
  const response = await fetch(ctrl + path, { method: "PUT", headers, body });
  if (!response.ok) throw new Error(`a push was refused: ${await response.text()}`);
}
