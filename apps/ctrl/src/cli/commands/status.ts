// `sluice status`: what is live where, a line a worker.
import { Command, Option } from "commander";
import type { z } from "zod";
import type { statusSchema } from "../../api/schemas.ts";
import { addCtrlOptions, toClient } from "../ctrl-options.ts";
import type { CtrlClient, CtrlOptions } from "../ctrl-client.ts";
import { CommandFailure, exitConfigurationErrors } from "../failure.ts";
import { formatPlain } from "../finish-push.ts";
import { describeFinding, escapeControls } from "../render-diagnostics.ts";
import { renderAge, renderTable } from "../text-table.ts";
import { printData } from "../terminal.ts";
import { watch } from "../watch.ts";

const help = `
Examples:
  sluice status
  sluice status --watch
  sluice status --check && echo "every worker serves the latest"
  sluice status -o json

Exit status: 0 it could be asked; with --check 1 when the last attempt has errors or a worker does not serve the running
version; 2 wrong usage, or no control plane.`;

type Status = z.output<typeof statusSchema>;

interface StatusOptions extends CtrlOptions {
  readonly output: "table" | "json" | "yaml";
  readonly watch?: boolean;
  readonly check?: boolean;
}

export function statusCommand(): Command {
  return addCtrlOptions(
    new Command("status")
      .description("tell what is live where, a line a worker")
      .addOption(
        new Option("-o, --output <format>", "how to print").choices(["table", "json", "yaml"]).default("table"),
      )
      .option("-w, --watch", "print again whenever it changes")
      .option("--check", "exit 1 unless every worker serves the running version and the last attempt was fine"),
  )
    .addHelpText("after", help)
    .action(status);
}

async function status(options: StatusOptions): Promise<void> {
  const client = await toClient(options);
  const format = (report: Status) =>
    options.output === "table" ? renderStatus(report) : formatPlain(report, options.output);
  if (options.watch === true) return await watch(client, async () => format(await read(client)));
  const report = await read(client);
  await printData(format(report));
  const problem = options.check === true ? findProblem(report) : null;
  if (problem !== null) throw new CommandFailure(exitConfigurationErrors, `error: ${problem}`);
}

async function read(client: CtrlClient): Promise<Status> {
  return (await client.ask("/v1/status")) as Status;
}

function findProblem({ lastAttempt, convergence, version }: Status): string | null {
  if (version === null) return "nothing runs";
  if (lastAttempt?.ok === false) return `the last attempt was ${lastAttempt.outcome}`;
  if (convergence?.state !== "converged") return `the edges are ${convergence?.state ?? "unknown"}`;
  return null;
}

function renderStatus(report: Status): string {
  const { version, number, since, store, rollback, lastAttempt, source } = report;
  const running = version === null ? "nothing runs" : `${version}, for ${renderAge(since ?? "")}`;
  const facts: [string, string][] = [
    ["running", running],
    [
      "stored",
      `version ${number}, ${store.resources} ${store.resources === 1 ? "resource" : "resources"} (${store.kind})`,
    ],
    ["directory", source],
    ["edges", report.convergence?.state ?? "-"],
  ];
  if (store.problem !== null) facts.push(["store", store.problem]);
  if (lastAttempt !== null && !lastAttempt.ok) facts.push(["attempt", describeAttempt(lastAttempt)]);
  if (rollback !== null) {
    const age = renderAge(rollback.at);
    facts.push([
      "taken back",
      `version ${rollback.refused.join(", ")} by version ${rollback.number}, ${age} ago: ${rollback.reason}`,
    ]);
  }
  const width = Math.max(...facts.map(([title]) => title.length));
  const lines = facts.map(([title, text]) => `${title.padEnd(width)}  ${escapeControls(text)}\n`).join("");
  return `${lines}\n${renderWorkers(report)}`;
}

function describeAttempt({ outcome, at, diagnostics }: NonNullable<Status["lastAttempt"]>): string {
  const first = diagnostics.find(({ severity }) => severity === "error");
  const why =
    first === undefined
      ? ""
      : `: ${first.file}:${first.line}:${first.column} ${describeFinding({ message: first.message, ...(first.hint === undefined ? {} : { hint: first.hint }) })}`;
  return `${outcome}, ${renderAge(at)} ago${why}`;
}

/** An edge without workers yet has a line too. */
function renderWorkers({ edges, version }: Status): string {
  const rows = edges.flatMap(({ id, workers, pending, nack }) => {
    const refused =
      nack === null
        ? ""
        : `refused ${nack.version}${nack.worker === null ? "" : ` (worker ${nack.worker})`}: ${nack.reason}`;
    if (workers.length === 0) return [[id, "-", "-", "-", "-", "-", "starting", refused]];
    return workers.map((worker) => {
      const state = worker.version === version ? "serving" : pending === version ? "applying" : "behind";
      const appliedMs = worker.appliedMs === null ? "-" : `${worker.appliedMs} ms`;
      const since = worker.version === null ? "-" : renderAge(worker.since);
      return [id, String(worker.worker), String(worker.pid), worker.version ?? "-", since, appliedMs, state, refused];
    });
  });
  return renderTable(["EDGE", "WORKER", "PID", "VERSION", "AGE", "APPLIED IN", "STATE", "LAST REFUSAL"], rows);
}
