// The command line. Composition root: everything a command needs is put together in its file under commands/.
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { ctrlCommand } from "./commands/ctrl.ts";
import { explainCommand } from "./commands/explain.ts";
import { pcCommand } from "./commands/pc.ts";
import { upCommand } from "./commands/up.ts";
import { validateCommand } from "./commands/validate.ts";
import { CommandFailure, exitUsage } from "./failure.ts";
import { printTalk, tolerateClosedPipes } from "./terminal.ts";

function createProgram(): Command {
  const program = new Command("sluice")
    .description("An ingress gateway that speaks Istio's configuration.")
    .version(readVersion())
    .showHelpAfterError("(add --help for what is possible)")
    // Throws instead of exiting, in the commands too, which inherit it.
    .exitOverride();
  const commands = [validateCommand(), pcCommand(), explainCommand(), upCommand(), ctrlCommand(), edgeCommand()];
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  return program;
}

/** For the list of commands only: bin/sluice.js starts the edge before this file is read. */
function edgeCommand(): Command {
  return new Command("edge").description("run the edge alone");
}

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** The exit status. */
async function run(): Promise<number> {
  try {
    await createProgram().parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has printed its message. Help and version are thrown too, with status 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUsage;
    if (!(error instanceof CommandFailure)) throw error;
    if (error.message !== "") printTalk(error.message);
    return error.exitCode;
  }
}

tolerateClosedPipes();
process.exitCode = await run();
