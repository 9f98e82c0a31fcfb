// Compiles a case's input and prints what it asks for, one section a word.
import { stringify } from "yaml";
import { type CompileOptions, compileTable, defaultCompileOptions } from "../../packages/core/src/compile/index.ts";
import {
  type Dialect,
  dumpClusters,
  dumpEndpoints,
  dumpListeners,
  dumpRoutes,
  dumpSecrets,
  renderClusterTable,
  renderEndpointTable,
  renderListenerTable,
  renderRouteTable,
  renderSecretTable,
} from "../../packages/core/src/dump/index.ts";
import {
  type Cluster,
  defaultClusterLimits,
  type Diagnostic,
  type Endpoint,
  type Table,
} from "../../packages/core/src/model/index.ts";
import { checkText, loadResources } from "./load-resources.ts";
import type { GoldenCase } from "./case.ts";

const dumps = {
  listeners: dumpListeners,
  routes: dumpRoutes,
  clusters: dumpClusters,
  endpoints: dumpEndpoints,
  secrets: dumpSecrets,
} as const;

const tables: Readonly<Record<string, (table: Table) => string>> = {
  "listener-table": (table) => renderListenerTable(dumpListeners(table, "modern")),
  "route-table": (table) => renderRouteTable(dumpRoutes(table, "modern")),
  "cluster-table": (table) => renderClusterTable(dumpClusters(table, "modern")),
  "endpoint-table": (table) => renderEndpointTable(dumpEndpoints(table, "modern")),
  "secret-table": (table) => renderSecretTable(dumpSecrets(table, "modern"), Date.UTC(2026, 0, 1)),
};

/** One fact of every cluster, where the whole dump would hide it. */
const facts: Readonly<Record<string, (cluster: Cluster) => unknown>> = {
  protocols: ({ protocol, tls }) => (tls === null ? protocol : `${protocol} in TLS`),
  timeouts: ({ connectTimeoutMs }) => connectTimeoutMs,
  balancers: ({ balancer, warmup }) => ({ ...balancer, ...(warmup === null ? {} : { warmup }) }),
  outliers: ({ outlierDetection }) => outlierDetection,
  limits: ({ limits }) => differences(limits, defaultClusterLimits),
  discovery: ({ discovery }) => discovery,
  rules: ({ destinationRule }) => (destinationRule === null ? null : `${destinationRule.namespace}/${destinationRule.name}`),
  tls: ({ tls }) => tls,
  endpoints: ({ endpoints }) => endpoints.map(formatEndpoint),
};

function differences<Fields extends object>(fields: Fields, defaults: Fields): object {
  const entries = Object.entries(fields).filter(([name, value]) => defaults[name as keyof Fields] !== value);
  return Object.fromEntries(entries);
}

/** `10.0.0.1:80 weight 3 priority 1 us/a not ready`: what is as usual is left out. */
function formatEndpoint({ address, port, weight, healthy, locality, priority }: Endpoint): string {
  const words = [port === 0 ? address : `${address}:${port}`];
  if (weight !== 1) words.push(`weight ${weight}`);
  if (priority !== 0) words.push(`priority ${priority}`);
  if (locality !== "") words.push(locality);
  if (!healthy) words.push("not ready");
  return words.join(" ");
}

/** The sections that `# print:` names, in its order, as one YAML map. */
export function printCase(golden: GoldenCase): string {
  const words = (golden.settings.get("print") ?? "").split(" ");
  const options = readOptions(golden);
  if (words.includes("validation")) return print({ validation: printValidation(golden, options.gateway.namespace) });
  const { table, diagnostics } = compileTable(loadResources(golden.file, golden.input), options);
  const sections = words.map((word) => [word, printSection(word, table, diagnostics)] as const);
  return print(Object.fromEntries(sections));
}

function print(sections: Readonly<Record<string, unknown>>): string {
  return stringify(sections, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** What `sluice validate` says before anything is compiled, hints included. The only section of cases whose input has errors. */
function printValidation({ file, input }: GoldenCase, gatewayNamespace: string): readonly string[] {
  return checkText(file, input, gatewayNamespace).diagnostics.map((diagnostic) => {
    const { hint } = diagnostic;
    return hint === undefined ? formatDiagnostic(diagnostic) : `${formatDiagnostic(diagnostic)} (${hint})`;
  });
}

function printSection(word: string, table: Table, diagnostics: readonly Diagnostic[]): unknown {
  if (word === "diagnostics") return diagnostics.map(formatDiagnostic);
  const draw = tables[word];
  if (draw !== undefined) return draw(table);
  const readFact = facts[word];
  if (readFact !== undefined) return Object.fromEntries(table.clusters.map((cluster) => [cluster.name, readFact(cluster)]));
  const [dialect, what] = word.split("/");
  if ((dialect !== "modern" && dialect !== "istio-1.0") || !isDump(what)) throw new Error(`cannot print "${word}"`);
  return dumps[what](table, dialect satisfies Dialect);
}

function isDump(what: string | undefined): what is keyof typeof dumps {
  return what !== undefined && Object.hasOwn(dumps, what);
}

function formatDiagnostic({ file, line, column, severity, code, path, message }: Diagnostic): string {
  return `${file}:${line}:${column} ${severity} ${code} ${path}: ${message}`;
}

function readOptions({ settings }: GoldenCase): CompileOptions {
  const { gateway, alpn } = defaultCompileOptions;
  const labels = settings.get("labels")?.split(",").map((label): [string, string] => {
    const [name = "", value = ""] = label.split("=");
    return [name, value];
  });
  return {
    gateway: {
      namespace: settings.get("namespace") ?? gateway.namespace,
      labels: labels === undefined ? gateway.labels : Object.fromEntries(labels),
      locality: settings.get("locality") ?? gateway.locality,
    },
    engine: settings.get("engine") === "node" ? "node" : "auto",
    alpn: settings.get("alpn") === "http/1.1" ? ["http/1.1"] : alpn,
    files: new Map(),
  };
}
