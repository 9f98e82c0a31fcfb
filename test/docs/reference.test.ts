// docs/reference is made from the tables the code itself uses. UPDATE_DOCS=1 rewrites it; otherwise a stale page fails here.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { sourceCodes } from "../../apps/ctrl/src/source/codes.ts";
import { failures } from "../../apps/edge/src/exchange/failure.ts";
import { metricDefinitions } from "../../apps/edge/src/observe/metric-definitions.ts";
import { compileCodes } from "../../packages/core/src/compile/codes.ts";
import { settingsSchema } from "../../packages/core/src/settings/schema.ts";
import { diagnosticCodes } from "../../packages/core/src/validate/codes.ts";

type Row = readonly string[];

function page(title: string, intro: string, table: { head: Row; rows: readonly Row[] }): string {
  const line = (cells: Row) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = line(table.head.map(() => "---"));
  return [`# ${title}`, "", intro, "", line(table.head), rule, ...table.rows.map(line), ""].join("\n");
}

function code(text: unknown): string {
  return `\`${typeof text === "string" ? text : JSON.stringify(text)}\``;
}

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

function typeText(node: SchemaNode): string {
  if (node.anyOf !== undefined) return node.anyOf.map(typeText).join(" or ");
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map(code).join(", ");
  if (node.type === "array") return `list of ${typeText(node.items ?? {})}`;
  if (node.type === "object") return "map";
  const bounds = [node.minimum, node.maximum].map((bound) =>
    bound === undefined || Math.abs(bound) > 2 ** 52 ? "" : String(bound),
  );
  return bounds.every((bound) => bound === "") ? (node.type ?? "") : `${node.type ?? ""} ${bounds.join("–")}`;
}

function settingRows(node: SchemaNode, path: string): Row[] {
  if (node.properties === undefined) {
    return [[code(path), typeText(node), code(node.default ?? ""), node.description ?? ""]];
  }
  return Object.entries(node.properties).flatMap(([key, child]) =>
    settingRows(child, path === "" ? key : `${path}.${key}`),
  );
}

const settings = z.toJSONSchema(settingsSchema, { io: "input" }) as SchemaNode;

const pages: Readonly<Record<string, string>> = {
  "settings.md": page(
    "Settings",
    "Every key of `sluice.yaml`. All are optional; relative paths are relative to the file, or to the working directory where there is none; so are those of certificate files that a Gateway names, except in the offline commands (`validate`, `pc -f`, `explain -f`), which take them as relative to the working directory. An unknown key is an error.",
    { head: ["key", "value", "default", "meaning"], rows: settingRows(settings, "") },
  ),
  "diagnostics.md": page(
    "Diagnostics",
    "Every finding about configuration, by the `code` that `sluice validate` prints.",
    {
      head: ["code", "meaning"],
      rows: Object.entries({ ...sourceCodes, ...diagnosticCodes, ...compileCodes })
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([name, meaning]) => [code(name), meaning]),
    },
  ),
  "responses.md": page(
    "Responses Sluice makes itself",
    "What a client gets when no upstream answers, and how the access log names it. Status 0: nothing could be sent any more.",
    {
      head: ["name", "status", "gRPC status", "flag", "details", "whose side", "connection closes"],
      rows: Object.entries(failures).map(([name, failure]) => [
        code(name),
        String(failure.status),
        String(failure.grpcStatus),
        failure.flag,
        code(failure.details),
        failure.side,
        failure.closesDownstream ? "yes" : "no",
      ]),
    },
  ),
  "metrics.md": page(
    "Metrics",
    "What `/stats/prometheus` on the admin port prints, added up over workers. Labels come from configuration, never from what clients send.",
    {
      head: ["name", "type", "labels", "meaning"],
      rows: Object.entries(metricDefinitions).map(([name, { type, labels, help }]) => [
        code(name),
        type,
        labels.map(code).join(" "),
        help,
      ]),
    },
  ),
};

test.each(Object.entries(pages))("docs/reference/%s says what the code does", (name, text) => {
  const file = new URL(`../../docs/reference/${name}`, import.meta.url);
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, text);
  expect(readFileSync(file, "utf8"), "run UPDATE_DOCS=1 pnpm exec vitest run test/docs").toBe(text);
});
