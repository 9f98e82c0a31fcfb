// `sluice apply`: write resources, all or none.
import { Command, Option } from "commander";
import { readPaths } from "../../source/read-paths.ts";
import { addPushOptions, type PushCommandOptions, toClient, toPush } from "../ctrl-options.ts";
import { CommandFailure, exitUsage } from "../failure.ts";
import { joinTexts } from "../joined-texts.ts";
import { fileOption } from "../options.ts";
import { finishPush, type PushOutput } from "../finish-push.ts";
import type { PushAnswer } from "../render-push.ts";

const help = `
Examples:
  sluice apply -f shop.yaml
  sluice apply -f config/ --dry-run
  sluice apply -f shop.yaml --reason "move checkout to v2" --wait 30
  helm template . | sluice apply -f - -o json
  sluice apply -f shop.yaml --ctrl https://ctrl.example:15010 --token-file token --ca-file ca.crt

A document with metadata.resourceVersion is written only over that version; one without, over whatever is there.

Exit status: 0 stored and served by every connected edge (or nothing to change), 1 refused, taken back because an edge
refused it, or not served everywhere in time, 2 wrong usage, unreadable input, or no control plane.`;

interface ApplyOptions extends PushCommandOptions {
  readonly file: readonly string[];
  readonly namespace: string;
  readonly output: PushOutput;
}

export function applyCommand(): Command {
  return addPushOptions(
    new Command("apply")
      .description("write resources to a running control plane, all or none")
      .addOption(fileOption().makeOptionMandatory())
      .option("-n, --namespace <name>", "namespace of documents that name none", "default")
      .addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json", "yaml"]).default("text")),
  )
    .addHelpText("after", help)
    .action(apply);
}

async function apply(options: ApplyOptions): Promise<void> {
  const { texts, problems } = await readPaths(options.file, process.stdin);
  if (problems.length > 0)
    throw new CommandFailure(exitUsage, problems.map(({ file, message }) => `error: ${file} ${message}`).join("\n"));
  const { body, toPlace } = joinTexts(texts);
  const { query, headers } = toPush(options);
  const client = await toClient(options);
  const path = `/v1/apply?${query}&namespace=${encodeURIComponent(options.namespace)}`;
  const answer = await client.ask(path, { method: "POST", body, type: "application/yaml", headers }, toPlace);
  await finishPush(answer as PushAnswer, options, toPlace);
}
