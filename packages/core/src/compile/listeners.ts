// From merged servers to listeners with their filter chains and route configs (istio-semantics 2.2).
import type { FilterChain, Listener, RouteConfig } from "../model/index.ts";
import { type GatewayOverrides, readOverrides } from "./annotations.ts";
import { chooseEngine } from "./engine.ts";
import { type BoundServer, gatewayName, listenerName, type MergedListener, serverSite } from "./gateways.ts";
import { buildRouteConfig, type RouteConfigScope } from "./route-config.ts";
import type { SecretCollector } from "./secrets.ts";
import { sniNames } from "./server-hosts.ts";
import { buildTlsContext, terminatesTls } from "./tls-context.ts";

/** What the listeners of one table share, and what they add to it. */
export interface ListenerScope extends RouteConfigScope {
  readonly secrets: SecretCollector;
  readonly routeConfigs: RouteConfig[];
  /** Names of TLS chains, which are those of their route configs. */
  readonly chainNames: Set<string>;
  /** Annotations of each Gateway, read once so that each is reported once. */
  overridesOf(gateway: BoundServer["gateway"]): GatewayOverrides;
}

/** Reads a Gateway's annotations on first use. */
export function rememberOverrides({ context }: RouteConfigScope): ListenerScope["overridesOf"] {
  const known = new Map<BoundServer["gateway"], GatewayOverrides>();
  return (gateway) => {
    const overrides = known.get(gateway) ?? readOverrides(gateway, context.findings);
    known.set(gateway, overrides);
    return overrides;
  };
}

/** Builds a listener, or null when no server of it can have a route. */
export function buildListener(merged: MergedListener, scope: ListenerScope): Listener | null {
  const servers = merged.servers.filter((bound) => isSupported(bound, scope));
  const [first] = servers;
  if (first === undefined) return null;
  const transport = merged.kind === "tls" ? "tls" : "http";
  const filterChains =
    transport === "tls"
      ? servers.map((bound) => buildTlsChain(bound, scope))
      : [buildHttpChain(first, { ...merged, servers }, scope)];
  const annotating = servers.find(({ gateway }) => scope.overridesOf(gateway).engine === "node");
  const facts = {
    transport,
    servers,
    forced: scope.context.options.engine === "node",
    annotatedBy: annotating === undefined ? null : gatewayName(annotating.gateway),
  } as const;
  return {
    name: listenerName(merged.address, merged.port),
    address: merged.address,
    port: merged.port,
    declaredPort: first.server.port.number,
    transport,
    ...chooseEngine(filterChains, facts),
    filterChains,
  };
}

// Connections that are not HTTP need `tcp` and `tls` routes, which this release does not read. Such a server still holds its place
// against later ones (the first wins), so that reading these routes one day takes nothing away from a server that serves now.
function isSupported(bound: BoundServer, { context }: ListenerScope): boolean {
  const { protocol } = bound.server.port;
  const { tls } = bound.server;
  if (bound.kind === "http" || (protocol === "HTTPS" && terminatesTls(tls))) return true;
  const what = protocol === "HTTPS" ? `HTTPS with tls.mode ${tls?.mode ?? "PASSTHROUGH"}` : protocol;
  context.findings.warn(serverSite(bound), {
    code: "unsupported-protocol",
    message: `server "${bound.server.port.name}" is skipped: no route can be bound to protocol ${what} yet`,
    hint: "use HTTP, HTTP2, GRPC or GRPC-WEB, or HTTPS with tls.mode SIMPLE, MUTUAL or OPTIONAL_MUTUAL",
  });
  return false;
}

function buildHttpChain(first: BoundServer, merged: MergedListener, scope: ListenerScope): FilterChain {
  const name = `http.${merged.port}${bindSuffix(first)}`;
  scope.routeConfigs.push(buildRouteConfig({ name, legacyName: name }, merged.servers, scope));
  return { ...chainOwner(first), name, serverNames: [], tls: null, routeConfig: name };
}

function buildTlsChain(bound: BoundServer, scope: ListenerScope): FilterChain {
  const { port } = bound.server;
  const legacyName = `https.${port.number}.${port.name}`;
  const name = takeName(`${legacyName}.${bound.gateway.name}.${bound.gateway.namespace}${bindSuffix(bound)}`, scope);
  scope.routeConfigs.push(buildRouteConfig({ name, legacyName }, [bound], scope));
  const alpn = scope.overridesOf(bound.gateway).alpn ?? scope.context.options.alpn;
  const tls = buildTlsContext(bound, alpn, scope.secrets);
  return { ...chainOwner(bound), name, serverNames: sniNames(bound.hosts), tls, routeConfig: name };
}

/**
 * Names of ports and Gateways may hold dots: port `a.b` of Gateway `c` and port `a` of Gateway `b.c` come to the same name. Were they
 * to share it, the edge would take one chain for the other, and one of the two may be the one that demands certificates.
 */
function takeName(name: string, { chainNames }: ListenerScope): string {
  let free = name;
  for (let count = 2; chainNames.has(free); count++) free = `${name}~${count}`;
  chainNames.add(free);
  return free;
}

function chainOwner({ gateway, server }: BoundServer): Pick<FilterChain, "statPrefix" | "gateway"> {
  return { statPrefix: server.name ?? null, gateway: { namespace: gateway.namespace, name: gateway.name } };
}

function bindSuffix({ server }: BoundServer): string {
  return server.bind === undefined || server.bind === "" ? "" : `.${server.bind}`;
}
