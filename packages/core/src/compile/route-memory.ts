// The routes of VirtualServices that were built before, as long as everything they were made from says the same.
import type { Resource, Route, VirtualServiceSpec } from "../model/index.ts";
import type { DestinationNames, RouteContext } from "./context.ts";
import { buildRoutes, type RouteScope } from "./routes.ts";

/** What a host stood for when the routes were built. */
interface NameRead {
  readonly host: string;
  readonly target: string;
}

interface PortRead {
  readonly host: string;
  readonly port: number | null;
}

interface BuiltRoutes {
  readonly scope: RouteScope;
  /** The gateway's labels and namespace, as JSON. */
  readonly gateway: string;
  readonly names: readonly NameRead[];
  readonly ports: readonly PortRead[];
  readonly routes: readonly Route[];
  round: number;
}

export class RouteMemory {
  /** By spec, and so by everything that the document says; the routes of each server it is bound to. */
  readonly #known = new WeakMap<VirtualServiceSpec, BuiltRoutes[]>();
  #round = 0;

  /** As `buildRoutes`. */
  routesOf(scope: RouteScope, context: RouteContext): readonly Route[] {
    const { labels, namespace } = context.options.gateway;
    const gateway = JSON.stringify([namespace, labels]);
    const { spec } = scope.virtualService;
    const all = this.#known.get(spec) ?? [];
    const known = all.find((built) => isSameScope(built.scope, scope) && built.gateway === gateway);
    if (known !== undefined && stillHolds(known, context.services)) {
      known.round = this.#round;
      return known.routes;
    }
    const reads = new RecordedNames(context.services);
    const routes = buildRoutes(scope, { ...context, services: reads });
    const built = { scope, gateway, names: reads.names, ports: reads.ports, routes, round: this.#round };
    // A server that is gone would otherwise leave its routes for as long as the VirtualService stays.
    const others = all.filter((other) => other !== known && other.round >= this.#round - 1);
    this.#known.set(spec, [...others, built]);
    return routes;
  }

  endRound(): void {
    this.#round++;
  }
}

/** Passes questions on, and notes what was answered. */
class RecordedNames implements DestinationNames {
  readonly names: NameRead[] = [];
  readonly ports: PortRead[] = [];
  readonly #services: DestinationNames;

  constructor(services: DestinationNames) {
    this.#services = services;
  }

  targetOf(host: string): string {
    const target = this.#services.targetOf(host);
    this.names.push({ host, target });
    return target;
  }

  onlyPort(host: string): number | null {
    const port = this.#services.onlyPort(host);
    this.ports.push({ host, port });
    return port;
  }
}

function stillHolds({ names, ports }: BuiltRoutes, services: DestinationNames): boolean {
  return (
    names.every(({ host, target }) => services.targetOf(host) === target) &&
    ports.every(({ host, port }) => services.onlyPort(host) === port)
  );
}

function isSameScope(a: RouteScope, b: RouteScope): boolean {
  return (
    a.gateway === b.gateway &&
    a.port === b.port &&
    a.isTls === b.isTls &&
    isSameIdentity(a.virtualService, b.virtualService)
  );
}

function isSameIdentity(a: Resource<VirtualServiceSpec>, b: Resource<VirtualServiceSpec>): boolean {
  return a.namespace === b.namespace && a.name === b.name && a.document.apiVersion === b.document.apiVersion;
}
