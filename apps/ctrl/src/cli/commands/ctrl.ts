// `sluice ctrl`: the control plane alone.
import { Command } from "commander";
import type { ControlPlane } from "../control-plane.ts";
import { createLogger, type Logger } from "../log.ts";
import { configOption } from "../options.ts";
import { loadSettings } from "../settings.ts";
import { printTalk } from "../terminal.ts";
import { isSupervised, onSupervisorGone, reportReady } from "../supervision/child.ts";

const exitCannotStart = 1;

export function ctrlCommand(): Command {
  return new Command("ctrl")
    .description("run the control plane alone")
    .addOption(configOption())
    .addHelpText(
      "after",
      "\nWatches config.directory, serves the API at ctrl.address and its edges at <state.directory>/ctrl.sock;\nwith ctrl.publish also those of other machines, by mutual TLS.\nSIGTERM ends it; edges go on serving. The log goes to standard error, its level is SLUICE_LOG.",
    )
    .action(runCtrl);
}

async function runCtrl({ config }: { readonly config?: string }): Promise<void> {
  process.title = "sluice: ctrl";
  const loaded = await loadSettings(config);
  const log = createLogger("ctrl");
  // Read here and not above: the offline commands start in half the time without an HTTP server and a thread pool.
  const plane = new (await import("../control-plane.ts")).ControlPlane(loaded, log);
  endOnSignals(plane, log);
  try {
    await plane.start();
  } catch (error) {
    printTalk(`sluice ctrl: ${error instanceof Error ? error.message : String(error)}`);
    await plane.stop({ afterEdges: false });
    // The channel to `sluice up` would keep the process.
    process.exit(exitCannotStart);
  }
  reportReady();
  // Ends with a signal only.
  await new Promise<never>(() => {});
}

/**
 * Under `sluice up` the edge drains first and ctrl ends after it, whichever of the two hears of the end first: Ctrl-C in a terminal reaches
 * both at once. Alone, ctrl ends at once and edges go on serving. A second signal of a kind does not wait.
 */
function endOnSignals(plane: ControlPlane, log: Logger): void {
  const seen = new Set<string>();
  const end = (cause: string) => {
    if (seen.has(cause)) process.exit(1);
    seen.add(cause);
    if (seen.size > 1) return;
    const afterEdges = isSupervised();
    log.info({ cause, afterEdges }, "ending");
    void plane.stop({ afterEdges }).finally(() => process.exit(0));
  };
  process.on("SIGTERM", () => end("SIGTERM"));
  process.on("SIGINT", () => end("SIGINT"));
  onSupervisorGone(() => end("supervisor gone"));
}
