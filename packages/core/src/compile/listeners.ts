// From merged servers to listeners with their filter chains and route configs (istio-semantics 2.2).
import type { FilterChain, Listener, RouteConfig } from "../model/index.ts";
import { type GatewayOverrides, readOverrides, warnProxyProtocol } from "./annotations.ts";
import { type ChainNames, takeName } from "./chain-names.ts";
import { chooseEngine } from "./engine.ts";
import {
  type BoundServer,
  chainOwner,
  describeServer,
  gatewayName,
  listenerName,
  type MergedListener,
  serverKey,
} from "./gateways.ts";
import { buildPassthroughChains, buildTcpChain, nameKeys, type TakenNames } from "./network-chains.ts";
import { buildRouteConfig, type RouteConfigScope } from "./route-config.ts";
import type { SecretCollector } from "./secrets.ts";
import { sniNames } from "./server-hosts.ts";
import { buildTlsContext, carriesTcp, terminatesTls } from "./tls-context.ts";

/** What the listeners of one table share, and what they add to it. */
export interface ListenerScope extends RouteConfigScope, ChainNames {
  readonly secrets: SecretCollector;
  readonly routeConfigs: RouteConfig[];
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
  const { servers } = merged;
  const [first] = servers;
  if (first === undefined) return null;
  const filterChains = buildChains(first, merged, scope);
  if (filterChains.length === 0) return null;
  const transport = merged.kind;
  const proxyProtocol = decideProxyProtocol(servers, scope);
  const annotating = servers.find(({ gateway }) => scope.overridesOf(gateway).engine === "node");
  const facts = {
    transport,
    servers,
    forced: scope.context.options.engine === "node",
    annotatedBy: annotating === undefined ? null : gatewayName(annotating.gateway),
    proxyProtocolBy: proxyProtocol,
  } as const;
  return {
    name: listenerName(merged.address, merged.port),
    address: merged.address,
    port: merged.port,
    declaredPort: first.server.port.number,
    transport,
    acceptsProxyProtocol: proxyProtocol !== null,
    ...chooseEngine(filterChains, facts),
    filterChains,
  };
}

function buildChains(first: BoundServer, merged: MergedListener, scope: ListenerScope): readonly FilterChain[] {
  switch (merged.kind) {
    case "http":
      return [buildHttpChain(first, merged, scope)];
    case "tcp":
      return [buildTcpChain(first, scope)].filter((chain) => chain !== null);
    case "tls":
      return buildTlsChains(merged.servers, scope);
  }
}

// Names that a server ends TLS for are set aside before the names of `tls` rules are read: a Gateway's server says which hosts it
// terminates, and no VirtualService takes one away from it, whichever comes first.
function buildTlsChains(servers: readonly BoundServer[], scope: ListenerScope): readonly FilterChain[] {
  const taken: TakenNames = new Map();
  for (const bound of servers.filter(({ server }) => terminatesTls(server.tls))) {
    for (const name of nameKeys(sniNames(bound.hosts))) taken.set(name, describeServer(bound));
  }
  return servers.flatMap((bound) => {
    if (!terminatesTls(bound.server.tls)) return buildPassthroughChains(bound, taken, scope);
    return carriesTcp(bound.server) ? buildTlsTcpChains(bound, scope) : [buildTlsChain(bound, scope)];
  });
}

// A load balancer in front of a port writes the header on every connection or on none, so the Gateways that share a listener have to
// agree. When they do not it is on: without it, a client's header would be taken for its first bytes, and the address of
// the load balancer for the client's.
function decideProxyProtocol(servers: readonly BoundServer[], scope: ListenerScope): string | null {
  const gateways = [...new Set(servers.map(({ gateway }) => gateway))];
  const asking = gateways.filter((gateway) => scope.overridesOf(gateway).acceptsProxyProtocol);
  const [first] = asking;
  if (first === undefined) return null;
  for (const gateway of gateways.filter((candidate) => !asking.includes(candidate))) {
    warnProxyProtocol(gateway, gatewayName(first), scope.context.findings);
  }
  return gatewayName(first);
}

function buildHttpChain(first: BoundServer, merged: MergedListener, scope: ListenerScope): FilterChain {
  const name = `http.${merged.port}${bindSuffix(first)}`;
  scope.routeConfigs.push(buildRouteConfig({ name, legacyName: name }, merged.servers, scope));
  return { ...chainOwner(first), name, serverNames: [], tls: null, routeConfig: name, forward: null };
}

function buildTlsChain(bound: BoundServer, scope: ListenerScope): FilterChain {
  const { port } = bound.server;
  const legacyName = `https.${port.number}.${port.name}`;
  const name = takeName(`https.${serverKey(bound)}${bindSuffix(bound)}`, scope);
  scope.routeConfigs.push(buildRouteConfig({ name, legacyName }, [bound], scope));
  const alpn = scope.overridesOf(bound.gateway).alpn ?? scope.context.options.alpn;
  const tls = buildTlsContext(bound, alpn, scope.secrets);
  return { ...chainOwner(bound), name, serverNames: sniNames(bound.hosts), tls, routeConfig: name, forward: null };
}

/** TLS ends here and what is inside is handed on as it comes; none without a `tcp` rule. */
function buildTlsTcpChains(bound: BoundServer, scope: ListenerScope): readonly FilterChain[] {
  const chain = buildTcpChain(bound, scope);
  if (chain === null) return [];
  // Istio offers h2 and http/1.1 here as well, and a client that knows both then speaks h2 to a backend that may not. What is inside is
  // the backend's to know: nothing is agreed on in its name but what the Gateway's annotation says.
  const alpn = scope.overridesOf(bound.gateway).alpn ?? [];
  return [{ ...chain, serverNames: sniNames(bound.hosts), tls: buildTlsContext(bound, alpn, scope.secrets) }];
}

function bindSuffix({ server }: BoundServer): string {
  return server.bind === undefined || server.bind === "" ? "" : `.${server.bind}`;
}
