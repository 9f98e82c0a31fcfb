// `sluice versions`: the history, or one version with what it changed.
import { Command, InvalidArgumentError, Option } from "commander";
import { stringify } from "yaml";
import type { z } from "zod";
import type { versionDetailsSchema, versionSchema } from "../../api/schemas.ts";
import { addCtrlOptions, toClient } from "../ctrl-options.ts";
import type { CtrlOptions } from "../ctrl-client.ts";
import { formatPlain } from "../finish-push.ts";
import { diffLines } from "../line-diff.ts";
import { paint } from "../render-push.ts";
import { renderAge, renderTable } from "../text-table.ts";
import { hasColour, printData } from "../terminal.ts";

const help = `
Examples:
  sluice versions
  sluice versions 12                  # what version 12 changed, as a difference
  sluice versions -o json

Lines without a number are tables that files alone made; they are forgotten when the control plane ends.

Exit status: 0 fine, 1 there is no such version, 2 wrong usage, or no control plane.`;

type Version = z.output<typeof versionSchema>;
type Details = z.output<typeof versionDetailsSchema>;

interface VersionsOptions extends CtrlOptions {
  readonly output: "table" | "json" | "yaml";
}

export function versionsCommand(): Command {
  return addCtrlOptions(
    new Command("versions")
      .description("print the history of a running control plane, or one version of it")
      .argument("[number]", "only this one, with what it changed", parseNumber)
      .addOption(
        new Option("-o, --output <format>", "how to print").choices(["table", "json", "yaml"]).default("table"),
      ),
  )
    .addHelpText("after", help)
    .action(printVersions);
}

async function printVersions(number: number | undefined, options: VersionsOptions): Promise<void> {
  const { output } = options;
  const client = await toClient(options);
  const answer = await client.ask(number === undefined ? "/v1/versions" : `/v1/versions/${number}`);
  if (output !== "table") return await printData(formatPlain(answer, output));
  await printData(number === undefined ? renderList(answer as Version[]) : renderDetails(answer as Details));
}

function renderList(versions: readonly Version[]): string {
  const rows = versions.map(({ number, version, since, author, state, summary, reason, refusal, source }) => {
    const { added, changed, removed } = summary;
    const changes = number === null ? "-" : `+${added} ~${changed} -${removed}`;
    const why = refusal === "" ? reason : refusal;
    return [
      number === null ? "-" : String(number),
      version,
      renderAge(since),
      author ?? "-",
      state,
      changes,
      source,
      why,
    ];
  });
  return renderTable(["NUMBER", "TABLE", "AGE", "AUTHOR", "STATE", "CHANGES", "SOURCE", "REASON"], rows);
}

function renderDetails({ number, version, since, author, reason, changes }: Details): string {
  const isColoured = hasColour(process.stdout);
  const head = `version ${number} (${version}) by ${author}, ${since}${reason === "" ? "" : `: ${reason}`}`;
  const blocks = changes.map(({ change, kind, namespace, name, before, after }) => {
    const sign = { added: "+", changed: "~", removed: "-" }[change];
    const lines = diffLines(toLines(before), toLines(after)).map((line) =>
      line === null ? "    ..." : `    ${paint(line.sign, line.text, isColoured)}`,
    );
    return [paint(sign, `${kind} ${namespace}/${name} ${change}`, isColoured), ...lines].join("\n");
  });
  return `${[head, ...blocks].join("\n")}\n`;
}

function toLines(value: unknown): readonly string[] {
  return value === null ? [] : stringify(value).trimEnd().split("\n");
}

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("A version is a number from 1.");
}
