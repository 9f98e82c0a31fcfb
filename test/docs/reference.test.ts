// docs/reference is made from the tables the code itself uses. UPDATE_DOCS=1 rewrites it; otherwise a stale page fails here.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { allRoutes } from "../../apps/ctrl/src/api/routes/all-routes.ts";
import { describeApi } from "../../apps/ctrl/src/api/openapi.ts";
import { pushFailureStatus } from "../../apps/ctrl/src/api/problem.ts";
import type { Services } from "../../apps/ctrl/src/api/services.ts";
import { originCodes } from "../../apps/ctrl/src/compile/codes.ts";
import { type PushFailure, pushFailures } from "../../apps/ctrl/src/push/push-error.ts";
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

interface OpenApiOperation {
  readonly summary: string;
  readonly description?: string;
  readonly "x-role": string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly description?: string;
    readonly schema: SchemaNode;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: SchemaNode }>> };
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema?: SchemaNode }>> }>
  >;
}

/** From the very description that ctrl serves. Nothing is called, so there is nothing to serve with. */
function apiPage(): string {
  const { paths } = describeApi(allRoutes({} as Services, ""), "") as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationText(`${method.toUpperCase()} ${path}`, operation)),
  );
  const failureTable = page("Failures of a push", "The `failure` of a problem, and its status.", {
    head: ["failure", "status", "meaning"],
    rows: Object.entries(pushFailures).map(([name, meaning]) => [
      code(name),
      String(pushFailureStatus[name as PushFailure]),
      meaning,
    ]),
  });
  const intro =
    "The API of ctrl at `ctrl.address`; `GET /v1/openapi.json` serves the same as OpenAPI 3.1. Every error is `application/problem+json`. With `ctrl.tokens` or `ctrl.tls.clientCa` each call needs `Authorization: Bearer` or a client certificate; the role that it needs stands with each.";
  return `# Control API\n\n${intro}\n\n${operations.join("\n")}\n${failureTable.replace(/^# /, "## ")}`;
}

function operationText(title: string, operation: OpenApiOperation): string {
  const parameters = operation.parameters.map(({ name, in: where, description = "", schema: node }): Row => {
    const fallback = node.default === undefined ? "" : ` Default: ${code(node.default)}.`;
    return [code(name), where, typeText(node), `${description}${fallback}`.trim()];
  });
  const body =
    operation.requestBody === undefined
      ? []
      : [`Body: ${Object.keys(operation.requestBody.content).map(code).join(", ")}${bodyFields(operation)}.`];
  const answers = Object.entries(operation.responses)
    .filter(([status]) => status !== "default")
    .map(([status, { content }]) => {
      const fields = Object.values(content)[0]?.schema?.properties;
      return `${status}${fields === undefined ? "" : ` with ${Object.keys(fields).map(code).join(", ")}`}`;
    });
  const lines = [`## ${title}`, "", `${operation.summary}. Role: ${operation["x-role"]}.`];
  if (operation.description !== undefined) lines.push("", operation.description);
  if (parameters.length > 0)
    lines.push(
      "",
      "| parameter | in | value | meaning |",
      "| --- | --- | --- | --- |",
      ...parameters.map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`),
    );
  if (body.length > 0) lines.push("", ...body);
  return [...lines, "", `Answers ${answers.join("; ")}.`, ""].join("\n");
}

function bodyFields({ requestBody }: OpenApiOperation): string {
  const fields = requestBody?.content["application/json"]?.schema.properties;
  return fields === undefined ? "" : ` with ${Object.keys(fields).map(code).join(", ")}`;
}

const pages: Readonly<Record<string, string>> = {
  "api.md": apiPage(),
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
      rows: Object.entries({ ...sourceCodes, ...originCodes, ...diagnosticCodes, ...compileCodes })
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
