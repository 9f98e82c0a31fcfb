// Options of the commands that talk to a running control plane, and of those that push to it.
import { userInfo } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CtrlClient, type CtrlOptions } from "./ctrl-client.ts";

const defaultCtrl = "http://127.0.0.1:15010";

/** How to show who one is; `pc` and `explain` take them too. */
export function addCredentialOptions(command: Command): Command {
  return command
    .addOption(new Option("--token-file <file>", "bearer token to show (or the token itself in SLUICE_TOKEN)"))
    .addOption(new Option("--ca-file <file>", "PEM bundle that vouches for the control plane").env("SLUICE_CA_FILE"))
    .addOption(new Option("--cert-file <file>", "PEM client certificate to show").env("SLUICE_CERT_FILE"))
    .addOption(new Option("--key-file <file>", "PEM key of the client certificate").env("SLUICE_KEY_FILE"));
}

/** `--ctrl` and the credentials, for a command that needs a control plane. */
export function addCtrlOptions(command: Command): Command {
  const ctrl = new Option("--ctrl <url>", "the control plane").env("SLUICE_CTRL").default(defaultCtrl);
  return addCredentialOptions(command.addOption(ctrl));
}

export async function toClient({ ctrl = defaultCtrl, ...credentials }: CtrlOptions): Promise<CtrlClient> {
  return await CtrlClient.create(ctrl, credentials);
}

export interface PushCommandOptions extends CtrlOptions {
  readonly dryRun?: boolean;
  readonly wait: number;
  readonly reason: string;
  readonly author?: string;
}

/** `--dry-run`, `--wait`, `--reason`, `--author`. */
export function addPushOptions(command: Command): Command {
  return addCtrlOptions(
    command
      .option("--dry-run", "check and show what would change; store nothing")
      .option("--wait <seconds>", "how long to wait until every edge serves it; 0: not at all", parseSeconds, 10)
      .option("--reason <text>", "why, for the history", "")
      .option("--author <name>", "who, for the history (default: your user name)"),
  );
}

/** The query and headers that say what the options said. */
export function toPush({ dryRun = false, wait, reason, author }: PushCommandOptions): {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const query = new URLSearchParams({ wait: String(wait), ...(reason === "" ? {} : { reason }) });
  if (dryRun) query.set("dryRun", "true");
  return { query: query.toString(), headers: { "x-sluice-author": author ?? userName() } };
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && seconds >= 0 && seconds <= 60) return seconds;
  throw new InvalidArgumentError("Seconds are a number from 0 to 60.");
}

/** A user id without a name, as in a container, has none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 0}`;
  }
}
