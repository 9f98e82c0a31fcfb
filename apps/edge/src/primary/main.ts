// Composition root of the primary: settings, workers, admin port, signals, the ready line.
import cluster from "node:cluster";
import { readFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { controlSocketPath } from "@sluice/core/settings";
import { startAdminServer } from "./admin-server.ts";
import { Edge } from "./edge.ts";
import { createLogger } from "./log.ts";
import { loadSettings, UsageError } from "./settings.ts";
import { loadTicketSecret } from "./ticket-secret.ts";

const usage = `Usage: sluice edge [--config sluice.yaml]

The data plane alone: listens, terminates TLS, matches and proxies. Takes its table from the ctrl of the same machine, and serves the
last good one from <state.directory> while ctrl is away.

Options:
  --config FILE   settings (default: $SLUICE_CONFIG, else ./sluice.yaml if it exists, else the defaults)
  --help          this text

Signals:
  SIGTERM, SIGINT   drain: readiness off, in-flight requests finish, exit 0; the same signal again exits at once
  SIGUSR2           open the access log anew (after a rotation)

Exit status: 0 after a drain, 1 when no table can be served, 2 for wrong usage or settings.
`;

/** A signal that comes again this soon is the same one. */
const sameSignalMs = 50;

async function run(): Promise<void> {
  const args = parseCommandLine();
  if (args.help) {
    process.stdout.write(usage);
    return;
  }
  const settings = await loadSettings(args.config);
  process.title = "sluice: edge";
  const log = createLogger("edge");
  // Every worker accepts from one shared socket: handing each connection over from the primary costs more than the accept.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ serialization: "advanced", args: ["edge"] });

  const workers = settings.edge.workers === "auto" ? availableParallelism() : settings.edge.workers;
  const productVersion = await readVersion();
  let adminUrl = "";
  const edge = new Edge({
    settings,
    workers,
    ticketSecret: await loadTicketSecret(settings.state.directory),
    controlSocket: controlSocketPath(settings.state.directory, tmpdir()),
    productVersion,
    log,
    onReady: () => void announce(),
    onFirstRefused(reason) {
      process.stderr.write(`sluice edge: ${reason}\n`);
      edge.pool.kill();
      process.exit(1);
    },
    onDrainRequested: () => end("drain request"),
  });
  const admin = await startAdminServer(splitAddress(settings.admin.address), edge);
  adminUrl = admin.url;

  /** The ready line (CONTRACT, "Running"). Waits a little for ctrl where only ctrl knows its port. */
  async function announce(): Promise<void> {
    const { host, port } = splitAddress(settings.ctrl.address);
    for (let waited = 0; edge.ctrlUrl === null && port === 0 && waited < 3000; waited += 20) await pause(20);
    const version = edge.pool.live?.bytes.version ?? "";
    const line = {
      event: "ready",
      version,
      workers,
      listeners: edge.pool.slots[0]?.listeners ?? [],
      admin: adminUrl,
      ctrl: edge.ctrlUrl ?? (port === 0 ? null : `http://${host}:${port}`),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    process.send?.({ event: "ready" });
    // To `sluice up`, which starts an edge again only if it once was ready.
    process.send?.({ event: "ready" });
  }

  let endedBy: string | null = null;
  let endedAt = 0;
  function end(cause: string): void {
    // Tools that signal a process and its group (timeout, a shell's kill) send one request twice. Under `sluice up` the group's signal
    // comes beside the supervisor's own, and it is the supervisor that ends this process when asked again.
    const isRepeated = endedBy === cause && performance.now() - endedAt > sameSignalMs;
    if (isRepeated && process.send === undefined) {
      log.warn(`second ${cause}; exiting at once`);
      edge.pool.kill();
      process.exit(1);
    }
    if (endedBy !== null) return;
    endedBy = cause;
    endedAt = performance.now();
    log.info({ cause, drainSeconds: settings.edge.drainSeconds }, "draining");
    void edge.drain().then(() => {
      log.info("drained");
      process.exit(0);
    });
  }
  process.on("SIGTERM", () => end("SIGTERM"));
  process.on("SIGINT", () => end("SIGINT"));
  process.on("SIGUSR2", () => edge.pool.reopenLogs());
  // Started by `sluice up`: without it nobody would look after this process, and the next one would find its ports taken.
  process.on("disconnect", () => end("the supervisor is gone"));
  await edge.start();
}

function parseCommandLine(): { config: string | undefined; help: boolean } {
  try {
    const { values } = parseArgs({
      args: process.argv.slice(3),
      options: { config: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
    });
    return { config: values.config, help: values.help };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

await run().catch((error: unknown) => {
  process.stderr.write(`sluice edge: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
});
