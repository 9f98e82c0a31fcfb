// The command line. Composition root: everything a command needs is put together in its file under commands/.
import { Command, CommanderError } from "commander";
import { applyCommand } from "./commands/apply.ts";
import { ctrlCommand } from "./commands/ctrl.ts";
import { deleteCommand } from "./commands/delete.ts";
import { explainCommand } from "./commands/explain.ts";
import { getCommand } from "./commands/get.ts";
import { pcCommand } from "./commands/pc.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { statusCommand } from "./commands/status.ts";
import { upCommand } from "./commands/up.ts";
import { validateCommand } from "./commands/validate.ts";
import { versionsCommand } from "./commands/versions.ts";
import { CommandFailure, exitUsage } from "./failure.ts";
import { printTalk, tolerateClosedPipes } from "./terminal.ts";
import { readVersion } from "./version.ts";

function createProgram(): Command {
  const program = new Command("sluice")
    .description("An ingress gateway that speaks Istio's configuration.")
    .version(readVersion())
    .showHelpAfterError("(add --help for what is possible)")
    // Throws instead of exiting, in the commands too, which inherit it.
    .exitOverride();
  const offline = [validateCommand(), pcCommand(), explainCommand()];
  const pushing = [
    applyCommand(),
    getCommand(),
    deleteCommand(),
    statusCommand(),
    versionsCommand(),
    rollbackCommand(),
  ];
  const commands = [...offline, ...pushing, upCommand(), ctrlCommand(), edgeCommand()];
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  return program;
}

/** For the list of commands only: bin/sluice.js starts the edge before this file is read. */
function edgeCommand(): Command {
  return new Command("edge").description("run the edge alone");
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
