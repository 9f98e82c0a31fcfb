// Which servers of which Gateways share a listener. Gateways are merged in creation order, and where two servers cannot share
// a port the first one wins (istio-semantics 2.1).
import {
  type FilterChain,
  type GatewayProtocol,
  type GatewayServer,
  type GatewaySpec,
  type Resource,
  selects,
} from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { describeSite, type Site } from "./findings.ts";
import { inCreationOrder } from "./order.ts";
import { portsInFront, portTranslation } from "./port-translation.ts";
import { bareHost, sanitizeServerHosts } from "./server-hosts.ts";

/** One server of a selected Gateway. */
export interface BoundServer {
  readonly gateway: Resource<GatewaySpec>;
  readonly index: number;
  readonly server: GatewayServer;
  /** `host` or `namespace/host`, lower case. */
  readonly hosts: readonly string[];
  readonly kind: ServerKind;
}

/** `http`: cleartext HTTP. `tls`: told apart by SNI, terminated or not. `tcp`: anything else, alone on its port. */
export type ServerKind = "http" | "tls" | "tcp";

/** The servers that share an address and a port, first one first. All of one kind. */
export interface MergedListener {
  readonly address: string;
  readonly port: number;
  readonly kind: ServerKind;
  readonly servers: readonly BoundServer[];
}

/** A listener while servers are still added. */
interface ListenerDraft extends MergedListener {
  readonly servers: BoundServer[];
  /** Who claimed a host first. */
  readonly takenHosts: Map<string, BoundServer>;
}

/** The Gateways that apply to this gateway's labels, from every namespace, in creation order. */
export function selectGateways(context: CompileContext): readonly Resource<GatewaySpec>[] {
  const { labels } = context.options.gateway;
  return inCreationOrder(context.resources.gateways).filter((gateway) => selects(gateway.spec.selector, labels));
}

/** Merges the servers of the selected Gateways into listeners; a server that has no place is skipped with a warning. */
export function mergeGateways(gateways: readonly Resource<GatewaySpec>[], context: CompileContext): MergedListener[] {
  const translate = portTranslation(context);
  const reachable = portsInFront(context);
  const drafts = new Map<string, ListenerDraft>();
  for (const gateway of gateways) {
    for (const [index, server] of gateway.spec.servers.entries()) {
      const address = server.bind === undefined || server.bind === "" ? "0.0.0.0" : server.bind;
      const bound = bindServer(gateway, index, server);
      if (reachable !== null && !reachable.has(server.port.number)) warnUnreachablePort(bound, reachable, context);
      const port = translate(server.port.number);
      const name = listenerName(address, port);
      const draft = drafts.get(name) ?? { address, port, kind: bound.kind, servers: [], takenHosts: new Map() };
      drafts.set(name, draft);
      if (!reportConflict(draft, bound, context)) addServer(draft, bound);
    }
  }
  return [...drafts.values()];
}

function warnUnreachablePort(
  { gateway, index, server }: BoundServer,
  reachable: ReadonlySet<number>,
  { findings }: CompileContext,
): void {
  const ports = [...reachable].toSorted((a, b) => a - b).join(", ");
  findings.warn(
    { resource: gateway, path: ["spec", "servers", index, "port", "number"] },
    {
      code: "port-not-on-service",
      message: `no Service in front of the gateway has port ${server.port.number}: what goes through it cannot reach this server`,
      hint: ports === "" ? "It has none." : `Its ports are ${ports}.`,
    },
  );
}

function addServer(draft: ListenerDraft, bound: BoundServer): void {
  draft.servers.push(bound);
  for (const host of claimedHosts(bound)) draft.takenHosts.set(host, bound);
}

/** Istio's name of a listener: `0.0.0.0_443`. */
export function listenerName(address: string, port: number): string {
  return `${address}_${port}`;
}

/** `namespace/name`, as VirtualServices name Gateways. */
export function gatewayName(gateway: Resource<unknown>): string {
  return `${gateway.namespace}/${gateway.name}`;
}

export function serverSite(bound: BoundServer): Site {
  return { resource: bound.gateway, path: ["spec", "servers", bound.index] };
}

/** `server "https" of Gateway default/shop (shop.yaml:12:5)`. */
export function describeServer(bound: BoundServer): string {
  return describeSite(`server "${bound.server.port.name}"`, serverSite(bound));
}

/** `443.https.gateway.default`: what the chains and routes of a TLS server are named after (`takeName` keeps them apart). */
export function serverKey({ server, gateway }: BoundServer): string {
  return `${server.port.number}.${server.port.name}.${gateway.name}.${gateway.namespace}`;
}

/** What every filter chain of a server says about where it comes from. */
export function chainOwner({ gateway, server }: BoundServer): Pick<FilterChain, "statPrefix" | "gateway"> {
  return { statPrefix: server.name ?? null, gateway: { namespace: gateway.namespace, name: gateway.name } };
}

function bindServer(gateway: Resource<GatewaySpec>, index: number, server: GatewayServer): BoundServer {
  const hosts = sanitizeServerHosts(server.hosts, gateway.namespace);
  return { gateway, index, server, hosts, kind: serverKind(server.port.protocol) };
}

function serverKind(protocol: GatewayProtocol): ServerKind {
  switch (protocol) {
    case "HTTP":
    case "HTTP2":
    case "GRPC":
    case "GRPC-WEB":
    case "HTTP_PROXY":
      return "http";
    case "HTTPS":
    case "TLS":
      return "tls";
    case "TCP":
    case "MONGO":
      return "tcp";
  }
}

function reportConflict(draft: ListenerDraft, bound: BoundServer, context: CompileContext): boolean {
  const conflict = findConflict(draft, bound);
  if (conflict === null) return false;
  const name = listenerName(draft.address, draft.port);
  context.findings.warn(serverSite(bound), {
    code: conflict.code,
    message: `${describeServer(bound)} is skipped on ${name}: ${conflict.why}; ${describeServer(conflict.owner)} comes first`,
    hint: "where servers conflict, the Gateway that is first by creation time, name and namespace wins",
  });
  return true;
}

interface Conflict {
  readonly owner: BoundServer;
  readonly code: "port-taken" | "host-taken";
  readonly why: string;
}

function findConflict(draft: ListenerDraft, bound: BoundServer): Conflict | null {
  const [first] = draft.servers;
  if (first === undefined) return null;
  if (draft.kind !== bound.kind || bound.kind === "tcp") {
    const why = `protocol ${bound.server.port.protocol} cannot share the port with ${first.server.port.protocol}`;
    return { owner: first, code: "port-taken", why };
  }
  const shared = claimedHosts(bound).filter((host) => draft.takenHosts.has(host));
  const owner = draft.takenHosts.get(shared[0] ?? "");
  if (owner === undefined) return null;
  const names = shared.map((host) => `"${host}"`).join(", ");
  return { owner, code: "host-taken", why: `${names} ${shared.length > 1 ? "are" : "is"} already taken` };
}

// Two servers with `tls` on one port may not share a host. Istio compares the literal strings, so `ns1/a.com` and `ns2/a.com`
// pass and give two filter chains with the same SNI, which Envoy then refuses together with the whole listener
// (istio#24638). TLS servers are compared by what will become SNI here: the second is skipped, the first serves. Cleartext
// servers with `tls.httpsRedirect` take part too, literally, as in Istio; they only share virtual hosts, never chains.
function claimedHosts({ kind, server, hosts }: BoundServer): readonly string[] {
  if (server.tls === undefined) return [];
  return kind === "tls" ? [...new Set(hosts.map(bareHost))] : hosts;
}
