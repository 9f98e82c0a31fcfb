// `sluice delete`: remove what was pushed.
import { Command, Option } from "commander";
import { addPushOptions, type PushCommandOptions, toClient, toPush } from "../ctrl-options.ts";
import { usageFailure } from "../failure.ts";
import { finishPush, type PushOutput } from "../finish-push.ts";
import type { PushAnswer } from "../render-push.ts";
import { parseResource } from "../resource-names.ts";

const help = `
Examples:
  sluice delete virtualservice shop
  sluice delete vs/shop -n default --reason "gone"
  sluice delete gw/web --if-version 12

What a file of the configuration directory declares is removed by removing it from the file.

Exit status: 0 removed, 1 it does not exist, a file declares it, it has another version, or an edge refused the result,
2 wrong usage, or no control plane.`;

interface DeleteOptions extends PushCommandOptions {
  readonly namespace: string;
  readonly ifVersion?: string;
  readonly output: PushOutput;
}

export function deleteCommand(): Command {
  return addPushOptions(
    new Command("delete")
      .description("remove a resource from a running control plane")
      .argument("<kind>", "kind, or kind/name")
      .argument("[name]")
      .option("-n, --namespace <name>", "namespace of the resource", "default")
      .option("--if-version <number>", "only while it is at this version")
      .addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json", "yaml"]).default("text")),
  )
    .addHelpText("after", help)
    .action(deleteResource);
}

async function deleteResource(first: string, second: string | undefined, options: DeleteOptions): Promise<void> {
  const { kind, name } = parseResource(first, second);
  if (name === null) throw usageFailure(`error: name the ${kind} to remove`);
  const { query, headers } = toPush(options);
  const condition = options.ifVersion === undefined ? {} : { "if-match": `"${options.ifVersion}"` };
  const client = await toClient(options);
  const path = `/v1/resources/${kind}/${encodeURIComponent(options.namespace)}/${encodeURIComponent(name)}?${query}`;
  const answer = await client.ask(path, { method: "DELETE", headers: { ...headers, ...condition } });
  await finishPush(answer as PushAnswer, options);
}
