// `sluice up`: control plane and edge on one machine, each in its own process, so that the death of one does not touch the other.
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { accessProblem } from "../../api/access/access-settings.ts";
import { usageFailure } from "../failure.ts";
import { createLogger } from "../log.ts";
import { configOption } from "../options.ts";
import { loadSettings } from "../settings.ts";
import { Pair } from "../supervision/pair.ts";

const program = fileURLToPath(new URL("../../../bin/sluice.js", import.meta.url));

const help = `
Prints one line of JSON on standard output when every listener is bound and the first table is live in every worker.
SIGTERM drains (limit: edge.drainSeconds) and exits 0; a second SIGTERM exits at once. SIGUSR2 opens the
access log anew (after a rotation). The log goes to standard error, its level is SLUICE_LOG.`;

export function upCommand(): Command {
  return new Command("up")
    .description("run control plane and edge on this machine")
    .addOption(configOption())
    .addHelpText("after", help)
    .action(runUp);
}

async function runUp({ config }: { readonly config?: string }): Promise<void> {
  process.title = "sluice: up";
  const { file, settings } = await loadSettings(config);
  // Said before anything is started.
  const problem = accessProblem(settings.ctrl);
  if (problem !== null) throw usageFailure(`error: ${problem}`);
  const args = file === null ? [] : ["--config", file];
  const pair = new Pair({ program, args, log: createLogger("up") });
  endOnSignals(pair);
  process.on("SIGUSR2", () => pair.reopenLogs());
  process.exitCode = await pair.run();
}

/** Ctrl-C in a terminal reaches the children too; they take their own SIGINT and this SIGTERM for one wish. */
function endOnSignals(pair: Pair): void {
  const seen = new Set<NodeJS.Signals>();
  const onSignal = (signal: NodeJS.Signals) => {
    if (seen.has(signal)) {
      pair.kill();
      process.exit(1);
    }
    seen.add(signal);
    pair.drain();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
