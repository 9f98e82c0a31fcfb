// The command line. Composition root: everything a command needs is put together in its file under commands/.
import { Command, CommanderError } from "commander";
import { CommandFailure, exitUsage } from "./failure.ts";
import { printTalk, tolerateClosedPipes } from "./terminal.ts";
import { readVersion } from "./version.ts";

/** In the order of the help. A command loads what it needs and no other: `up`, which only starts two processes, is ready 350 ms sooner for it. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  validate: async () => (await import("./commands/validate.ts")).validateCommand(),
  pc: async () => (await import("./commands/pc.ts")).pcCommand(),
  explain: async () => (await import("./commands/explain.ts")).explainCommand(),
  apply: async () => (await import("./commands/apply.ts")).applyCommand(),
  get: async () => (await import("./commands/get.ts")).getCommand(),
  delete: async () => (await import("./commands/delete.ts")).deleteCommand(),
  status: async () => (await import("./commands/status.ts")).statusCommand(),
  versions: async () => (await import("./commands/versions.ts")).versionsCommand(),
  rollback: async () => (await import("./commands/rollback.ts")).rollbackCommand(),
  up: async () => (await import("./commands/up.ts")).upCommand(),
  ctrl: async () => (await import("./commands/ctrl.ts")).ctrlCommand(),
  edge: async () => edgeCommand(),
};

/** @param asked the command; anything else (help, a misspelling) is answered from the list of all */
async function createProgram(asked: string): Promise<Command> {
  const program = new Command("sluice")
    .description("An ingress gateway that speaks Istio's configuration.")
    .version(readVersion())
    .showHelpAfterError("(add --help for what is possible)")
    // Throws instead of exiting, in the commands too, which inherit it.
    .exitOverride();
  const load = Object.hasOwn(loaders, asked) ? loaders[asked] : undefined;
  const commands = load === undefined ? Object.values(loaders).map((loader) => loader()) : [load()];
  for (const command of await Promise.all(commands)) program.addCommand(command.copyInheritedSettings(program));
  return program;
}

/** For the list of commands only: bin/sluice.js starts the edge before this file is read. */
function edgeCommand(): Command {
  return new Command("edge").description("run the edge alone");
}

/** The exit status. */
async function run(): Promise<number> {
  try {
    await (await createProgram(process.argv[2] ?? "")).parseAsync();
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
