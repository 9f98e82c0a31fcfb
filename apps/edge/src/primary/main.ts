// Composition root of the primary: settings, workers, admin port, signals, the ready line.
import cluster from "node:cluster";
import { readFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { controlSocket, parseAddress, type Settings } from "@sluice/core/settings";
import { describeExpiry, ExpiryWarnings } from "@sluice/core/model";
import type { Logger } from "pino";
import { prepareAccessLog } from "./access-log-file.ts";
import { startAdminServer } from "./admin-server.ts";
import { parseCommandLine, usage } from "./command-line.ts";
import { CtrlCredentials, type CtrlTarget, LocalTarget, TlsTarget } from "./ctrl-target.ts";
import { prepareStateDirectory, userId } from "./directories.ts";
import { Edge } from "./edge.ts";
import { createLogger } from "./log.ts";
import { printReadyLine } from "./ready-line.ts";
import { loadSettings, overrideSettings, UsageError } from "./settings.ts";
import { Shutdown } from "./shutdown.ts";
import { loadTicketSecret } from "./ticket-secret.ts";

const expiryLookMs = 3_600_000;

async function run(): Promise<void> {
  const args = parseCommandLine(process.argv.slice(3));
  if (args.help) return void process.stdout.write(usage);
  const settings = overrideSettings(await loadSettings(args.config), args.overrides);
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
    ...findCtrl(settings, log),
    productVersion: await readVersion(),
    log,
    onReady: () => void printReadyLine({ edge, workers, adminUrl, ctrlAddress: localCtrl(settings) }),
    onFirstRefused: (reason) => fail(edge, reason),
    onDrainRequested: () => shutdown.begin("drain request"),
  });
  const shutdown = new Shutdown(edge, log);
  ({ url: adminUrl } = await startAdminServer(parseAddress(settings.admin.address), edge));
  shutdown.listen();
  process.on("SIGUSR2", () => edge.pool.reopenLogs());
  await edge.start();
}

/** The ctrl of this machine, unless the settings name others. */
function findCtrl(
  { edge, state, certificates }: Settings,
  log: Logger,
): { ctrlTargets: readonly CtrlTarget[]; ctrlCertificateEndMs: () => number | null } {
  const { ctrl, ctrlTls } = edge;
  if (ctrl.length === 0 || ctrlTls === undefined) {
    const place = controlSocket(state.directory, { tmpDirectory: tmpdir(), uid: userId });
    return { ctrlTargets: [new LocalTarget(place)], ctrlCertificateEndMs: () => null };
  }
  const credentials = new CtrlCredentials(ctrlTls, (problem) =>
    log.warn({ problem }, "edge.ctrlTls: what is in the files now cannot be used; what was there before is"),
  );
  watchExpiry(credentials, certificates, log);
  return {
    ctrlTargets: ctrl.map((address) => new TlsTarget(address, credentials, ctrlTls.serverName)),
    ctrlCertificateEndMs: () => credentials.notAfterMs,
  };
}

/** Without a certificate that is valid this edge would take no more changes, and nothing else would tell. */
function watchExpiry(credentials: CtrlCredentials, limits: Settings["certificates"], log: Logger): void {
  const warnings = new ExpiryWarnings(limits);
  const look = (): void => {
    credentials.refresh();
    const { notAfterMs } = credentials;
    const own = notAfterMs === null ? [] : [{ secret: "edge.ctrlTls", kind: "client" as const, notAfterMs }];
    for (const warning of warnings.due(own, Date.now()))
      log[warning.stage === "soon" ? "warn" : "error"]({ daysLeft: warning.daysLeft }, describeExpiry(warning));
  };
  look();
  setInterval(look, expiryLookMs).unref();
}

/** The API's address, where ctrl runs on this machine. */
function localCtrl({ edge, ctrl }: Settings): string | null {
  return edge.ctrl.length === 0 ? ctrl.address : null;
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
