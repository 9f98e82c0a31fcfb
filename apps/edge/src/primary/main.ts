// Composition root of the primary: settings, workers, admin port, signals, the ready line.
import cluster from "node:cluster";
import { readFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { controlSocket, parseAddress } from "@sluice/core/settings";
import { prepareAccessLog } from "./access-log-file.ts";
import { startAdminServer } from "./admin-server.ts";
import { parseCommandLine, usage } from "./command-line.ts";
import { prepareStateDirectory, userId } from "./directories.ts";
import { Edge } from "./edge.ts";
import { createLogger } from "./log.ts";
import { printReadyLine } from "./ready-line.ts";
import { loadSettings, UsageError } from "./settings.ts";
import { Shutdown } from "./shutdown.ts";
import { loadTicketSecret } from "./ticket-secret.ts";

async function run(): Promise<void> {
  const args = parseCommandLine(process.argv.slice(3));
  if (args.help) return void process.stdout.write(usage);
  const settings = await loadSettings(args.config);
  await prepareAccessLog(settings.edge.accessLog.path);
  await prepareStateDirectory(settings.state.directory);
  process.title = "sluice: edge";
  const log = createLogger("edge");
  // Every worker accepts from one shared socket: handing each connection over from the primary costs more than the accept.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    serialization: "advanced",
    args: ["edge"],
    // A young generation that holds the garbage of a few thousand requests: 5 to 8 % less CPU a request than with V8's default.
    execArgv: [...process.execArgv, "--min-semi-space-size=16", "--max-semi-space-size=32"],
    // uWebSockets.js prints to standard output when server names are added. Workers get standard error in its place, and the real
    // standard output, for the access log, as a descriptor of its own.
    stdio: ["ignore", 2, 2, "ipc", 1],
  });

  const workers = settings.edge.workers === "auto" ? availableParallelism() : settings.edge.workers;
  let adminUrl = "";
  const edge = new Edge({
    settings,
    workers,
    ticketSecret: await loadTicketSecret(settings.state.directory),
    controlSocket: controlSocket(settings.state.directory, { tmpDirectory: tmpdir(), uid: userId }),
    productVersion: await readVersion(),
    log,
    onReady: () => void printReadyLine({ edge, workers, adminUrl, ctrlAddress: settings.ctrl.address }),
    onFirstRefused: (reason) => fail(edge, reason),
    onDrainRequested: () => shutdown.begin("drain request"),
  });
  const shutdown = new Shutdown(edge, log);
  ({ url: adminUrl } = await startAdminServer(parseAddress(settings.admin.address), edge));
  shutdown.listen();
  process.on("SIGUSR2", () => edge.pool.reopenLogs());
  await edge.start();
}

/** Nothing can be served and nothing was: the operator, or the supervisor, has to see to it. */
function fail(edge: Edge, reason: string): void {
  process.stderr.write(`sluice edge: ${reason}\n`);
  edge.pool.kill();
  process.exit(1);
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

await run().catch((error: unknown) => {
  process.stderr.write(`sluice edge: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
});
