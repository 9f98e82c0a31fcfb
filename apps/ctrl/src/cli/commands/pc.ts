// `sluice pc`: the compiled configuration, as `istioctl proxy-config` prints it.
import type { JsonObject } from "@sluice/core";
import { Argument, Command, Option } from "commander";
import { stringify } from "yaml";
import { dialects, printers, type ResourceName, resourceNames } from "../../api/dump.ts";
import type { CtrlOptions } from "../ctrl-client.ts";
import { addCredentialOptions, toClient } from "../ctrl-options.ts";
import { usageFailure } from "../failure.ts";
import { compileOffline } from "../offline.ts";
import { chooseInput, ctrlOption, fileOption, type InputOptions, labelsOption, recoverName } from "../options.ts";
import { printData, printTalk } from "../terminal.ts";

const examples = `
Examples:
  sluice pc listener -f config/
  sluice pc route http.80 -f config/ -o json
  sluice pc route -f config/ -o json --dialect istio-1.0
  sluice pc cluster --ctrl http://127.0.0.1:15010

Exit status: 0 fine, 1 the configuration has errors, 2 wrong usage or unreadable input.`;

interface PcOptions extends InputOptions, Omit<CtrlOptions, "ctrl"> {
  readonly output?: "table" | "json" | "yaml";
  readonly dialect: (typeof dialects)[number];
}

interface Wanted {
  readonly resource: ResourceName;
  readonly name: string | undefined;
  readonly dialect: (typeof dialects)[number];
}

export function pcCommand(): Command {
  return addCredentialOptions(
    new Command("pc")
      .alias("proxy-config")
      .description("print what a configuration compiles to, as istioctl proxy-config does")
      .addArgument(new Argument("<resource>", "what to print").choices(resourceNames))
      .argument("[name]", "only the one of this name")
      .addOption(fileOption())
      .addOption(ctrlOption())
      .addOption(
        new Option("-o, --output <format>", "how to print (default: table)").choices(["table", "json", "yaml"]),
      )
      .addOption(
        new Option("--dialect <dialect>", "names and shapes of today or of Istio 1.0")
          .choices(dialects)
          .default("modern"),
      )
      .addOption(labelsOption()),
  )
    .addHelpText("after", examples)
    .action(printResources);
}

async function printResources(
  resource: ResourceName,
  givenName: string | undefined,
  given: PcOptions,
  command: Command,
): Promise<void> {
  const { name, options } = recoverName(givenName, given);
  const { dialect, labels } = options;
  const output = options.output ?? (dialect === "modern" ? "table" : "json");
  if (output === "table" && dialect !== "modern")
    throw usageFailure(`error: --dialect ${dialect} is for -o json and -o yaml`);
  const input = chooseInput(command, options);
  const wanted = { resource, name, dialect };
  const resources =
    input.kind === "files" ? await compile(input.paths, wanted, labels) : await ask(input.url, wanted, options);
  if (resources.length === 0) printTalk(name === undefined ? `no ${resource} found` : `no ${resource} named "${name}"`);
  await printData(format(resource, resources, output));
}

async function compile(
  paths: readonly string[],
  { resource, name, dialect }: Wanted,
  labels: PcOptions["labels"],
): Promise<readonly JsonObject[]> {
  return printers[resource].dump(await compileOffline({ paths, labels }), dialect, name);
}

async function ask(
  ctrl: string,
  { resource, name, dialect }: Wanted,
  options: PcOptions,
): Promise<readonly JsonObject[]> {
  const query = new URLSearchParams({ resource, dialect, ...(name === undefined ? {} : { name }) });
  const client = await toClient({ ...options, ctrl });
  return (await client.ask(`/v1/config_dump?${query.toString()}`)) as JsonObject[];
}

function format(resource: ResourceName, resources: readonly JsonObject[], output: "table" | "json" | "yaml"): string {
  switch (output) {
    case "json":
      return `${JSON.stringify(resources, null, 4)}\n`;
    case "yaml":
      // Through JSON, which leaves out what is undefined.
      return stringify(JSON.parse(JSON.stringify(resources)));
    case "table":
      return printers[resource].render(resources);
  }
}
