// `sluice rollback`: make the stored resources what they were.
import { Command, Option } from "commander";
import { addPushOptions, type PushCommandOptions, toClient, toPush } from "../ctrl-options.ts";
import { finishPush, type PushOutput } from "../finish-push.ts";
import type { PushAnswer } from "../render-push.ts";

const help = `
Examples:
  sluice rollback                     # to the version before the running one
  sluice rollback --to 12 --dry-run   # what would change
  sluice rollback --to 12 --reason "checkout is down"

A rollback is a new version: nothing of the history is lost, and it can be rolled back itself.

Exit status: 0 done and served by every connected edge, 1 there is no such version, or an edge refused it, 2 wrong usage,
or no control plane.`;

interface RollbackOptions extends PushCommandOptions {
  readonly to?: string;
  readonly output: PushOutput;
}

export function rollbackCommand(): Command {
  return addPushOptions(
    new Command("rollback")
      .description("make the stored resources what they were in an earlier version")
      .option("--to <version>", "its number, as `sluice versions` prints it, or its digest")
      .addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json", "yaml"]).default("text")),
  )
    .addHelpText("after", help)
    .action(rollback);
}

async function rollback(options: RollbackOptions): Promise<void> {
  const { to } = options;
  const { query, headers } = toPush(options);
  // A digest has 16 characters, and no history reaches a number as long.
  const target = to === undefined ? {} : { to: /^\d{1,15}$/.test(to) ? Number(to) : to };
  const client = await toClient(options);
  const answer = await client.ask(`/v1/rollback?${query}`, { method: "POST", body: JSON.stringify(target), headers });
  await finishPush(answer as PushAnswer, options);
}
