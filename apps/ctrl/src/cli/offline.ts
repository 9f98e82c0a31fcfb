// Reading configuration for the commands that need no server.
import { defaultCompileOptions } from "@sluice/core";
import { hasErrors, type Table } from "@sluice/core/model";
import { type Configuration, readConfiguration } from "../compile/configuration.ts";
import { readPaths } from "../source/read-paths.ts";
import { countFindings } from "../store/finding-counts.ts";
import { CommandFailure, exitConfigurationErrors, exitUsage } from "./failure.ts";
import { renderCounts, renderDiagnostic } from "./render-diagnostics.ts";
import { hasColour, printTalk } from "./terminal.ts";

export interface OfflineOptions {
  readonly paths: readonly string[];
  readonly defaultNamespace?: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Reads and compiles what `-f` names. @throws CommandFailure 2 for input that cannot be read */
export async function readOffline({
  paths,
  defaultNamespace = "default",
  labels,
}: OfflineOptions): Promise<Configuration> {
  const { texts, problems } = await readPaths(paths, process.stdin);
  if (problems.length > 0)
    throw new CommandFailure(exitUsage, problems.map(({ file, message }) => `error: ${file} ${message}`).join("\n"));
  const { engine, alpn, gateway } = defaultCompileOptions;
  const configuration = await readConfiguration({
    texts,
    defaultNamespace,
    baseDirectory: process.cwd(),
    gateway: { gateway: { ...gateway, labels: labels ?? gateway.labels }, engine, alpn },
  });
  if (configuration.documentCount === 0 && !hasErrors(configuration.diagnostics)) printTalk("no resources found");
  return configuration;
}

/** The table of what `-f` names. @throws CommandFailure 1, with the diagnostics printed, when it has errors */
export async function compileOffline(options: OfflineOptions): Promise<Table> {
  const { table, diagnostics } = await readOffline(options);
  const counts = countFindings(diagnostics);
  if (table === null) {
    for (const diagnostic of diagnostics) printTalk(renderDiagnostic(diagnostic, hasColour(process.stderr)));
    throw new CommandFailure(exitConfigurationErrors, renderCounts(counts));
  }
  if (counts.warnings > 0) printTalk(`${renderCounts(counts)}; sluice validate shows them`);
  return table;
}
