// `sluice get`: the resources that are used.
import { Command, Option } from "commander";
import type { z } from "zod";
import type { resourceListSchema } from "../../api/schemas.ts";
import { addCtrlOptions, toClient } from "../ctrl-options.ts";
import type { CtrlClient, CtrlOptions } from "../ctrl-client.ts";
import { CommandFailure, exitConfigurationErrors } from "../failure.ts";
import { formatPlain } from "../finish-push.ts";
import { parseResource } from "../resource-names.ts";
import { renderTable } from "../text-table.ts";
import { printData, printTalk } from "../terminal.ts";
import { watch } from "../watch.ts";

const help = `
Examples:
  sluice get                          # everything, and where it comes from
  sluice get virtualservices -n default
  sluice get vs/shop -o yaml          # edit it and sluice apply it: its resourceVersion guards against other writers
  sluice get -o yaml --source store > backup.yaml
  sluice get vs --watch

Values of Secrets are never given out. SOURCE is the file that declares the resource, or "store" for what was pushed.

Exit status: 0 fine, 1 there is no resource of that name, 2 wrong usage, or no control plane.`;

type List = z.output<typeof resourceListSchema>;

interface GetOptions extends CtrlOptions {
  readonly namespace?: string;
  readonly output: "table" | "json" | "yaml";
  readonly source?: "store" | "file";
  readonly watch?: boolean;
}

export function getCommand(): Command {
  return addCtrlOptions(
    new Command("get")
      .description("print the resources of a running control plane")
      .argument("[kind]", "kind, or kind/name")
      .argument("[name]")
      .option("-n, --namespace <name>", "only of this namespace (default: of all)")
      .addOption(
        new Option("--source <source>", "only what was pushed, or what files declare").choices(["store", "file"]),
      )
      .addOption(
        new Option("-o, --output <format>", "how to print").choices(["table", "json", "yaml"]).default("table"),
      )
      .option("-w, --watch", "print again whenever it changes"),
  )
    .addHelpText("after", help)
    .action(get);
}

async function get(first: string | undefined, second: string | undefined, options: GetOptions): Promise<void> {
  const { kind, name } = first === undefined ? { kind: null, name: null } : parseResource(first, second);
  const query = new URLSearchParams();
  const wanted = { kind, name, namespace: options.namespace, source: options.source };
  for (const [key, value] of Object.entries(wanted)) if (typeof value === "string") query.set(key, value);
  const client = await toClient(options);
  const look = async () => render(await read(client, query), name, options.output);
  if (options.watch === true) return await watch(client, look);
  const list = await read(client, query);
  if (list.resources.length === 0) {
    if (name !== null) throw new CommandFailure(exitConfigurationErrors, `error: there is no ${kind} named ${name}`);
    printTalk("no resources found");
  }
  await printData(render(list, name, options.output));
}

async function read(client: CtrlClient, query: URLSearchParams): Promise<List> {
  return (await client.ask(`/v1/resources?${query.toString()}`)) as List;
}

function render({ resources }: List, name: string | null, output: GetOptions["output"]): string {
  if (output !== "table") {
    const [only, ...others] = resources.map(({ resource }) => resource);
    const isOne = name !== null && only !== undefined && others.length === 0;
    const items = resources.map(({ resource }) => resource);
    return formatPlain(isOne ? only : { apiVersion: "v1", kind: "List", items }, output);
  }
  const rows = resources.map(({ kind, namespace, name: its, resourceVersion, file, shadowed }) => {
    const source = file === null ? "store" : shadowed ? `${file} (hides version ${resourceVersion})` : file;
    return [kind, namespace, its, file === null ? (resourceVersion ?? "") : "-", source];
  });
  return renderTable(["KIND", "NAMESPACE", "NAME", "VERSION", "SOURCE"], rows);
}
