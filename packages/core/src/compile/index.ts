// compile: from checked resources to the table an edge serves from. Pure: no clock, no randomness, no I/O; the order in which
// resources were read plays no part.
import type { Diagnostic, Listener, ResourceSet, Table } from "../model/index.ts";
import { buildClusters } from "./clusters.ts";
import type { CompileContext } from "./context.ts";
import { takeInDelegates } from "./delegates.ts";
import { Findings } from "./findings.ts";
import { mergeGateways, selectGateways } from "./gateways.ts";
import { keepHashedHosts } from "./hashed-retries.ts";
import { HiddenRoutes } from "./hidden-routes.ts";
import { buildListener, type ListenerScope, rememberOverrides } from "./listeners.ts";
import { ObjectIndex } from "./object-index.ts";
import type { CompileOptions } from "./options.ts";
import { compareText } from "./order.ts";
import type { RouteConfigScope } from "./route-config.ts";
import { SecretCollector } from "./secrets.ts";
import { buildServiceRegistry } from "./service-registry.ts";
import { reportSharedCertificates } from "./shared-certificates.ts";
import { reportUnused } from "./unused-virtual-services.ts";
import { virtualServicesByGateway } from "./virtual-services.ts";

export { type CompileOptions, defaultCompileOptions } from "./options.ts";
export { referencedFiles } from "./referenced-files.ts";

export interface CompileResult {
  readonly table: Table;
  /** Warnings only: what cannot be compiled is left out, the rest serves. */
  readonly diagnostics: readonly Diagnostic[];
  /** When compiling the same again gives another table: a certificate becomes valid. Null: never. */
  readonly recompileAtMs: number | null;
}

/** Compiles everything that applies to one gateway. */
export function compileTable(given: ResourceSet, options: CompileOptions): CompileResult {
  const findings = new Findings();
  const resources = takeInDelegates(given, findings);
  const services = buildServiceRegistry(resources, options.gateway.namespace, findings);
  const context: CompileContext = { resources, options, findings, services, objects: new ObjectIndex(resources) };
  const scope = createScope(context);
  const merged = mergeGateways(selectGateways(context), context);
  const listeners = merged.map((listener) => buildListener(listener, scope)).filter((listener) => listener !== null);
  reportUnused(merged, scope);
  reportSharedCertificates(merged, {
    context,
    offersHttp2: ({ gateway }) => (scope.overridesOf(gateway).alpn ?? options.alpn).includes("h2"),
  });
  const routeConfigs = scope.routeConfigs.toSorted(byName);
  const clusters = buildClusters({ context, secrets: scope.secrets, routeConfigs, listeners });
  const table: Table = {
    listeners: listeners.toSorted(byName),
    routeConfigs: keepHashedHosts(routeConfigs, clusters),
    clusters,
    secrets: scope.secrets.resources,
  };
  return { table, diagnostics: findings.diagnostics, recompileAtMs: scope.secrets.nextValidFromMs };
}

function createScope(context: CompileContext): ListenerScope {
  const routes: RouteConfigScope = {
    context,
    virtualServices: virtualServicesByGateway(context),
    used: new Set(),
    hidden: new HiddenRoutes(context.findings),
  };
  return {
    ...routes,
    secrets: new SecretCollector(context),
    routeConfigs: [],
    chainNames: new Set(),
    overridesOf: rememberOverrides(routes),
  };
}

function byName(a: Pick<Listener, "name">, b: Pick<Listener, "name">): number {
  return compareText(a.name, b.name);
}
