// Routes that no request reaches because another VirtualService on the same host comes first. Istio says nothing of it: both are
// accepted, and one of them is never asked (istio-semantics 2.3, step 4).
import type { Resource, Route, RouteMatch, VirtualServiceSpec } from "../model/index.ts";
import { describeSite, type Findings } from "./findings.ts";
import { isCatchAll } from "./route-match.ts";

type VirtualService = Resource<VirtualServiceSpec>;

/** A virtual host whose routes come from several VirtualServices. */
export interface SharedHost {
  readonly host: string;
  readonly owners: ReadonlySet<VirtualService>;
  /** In the order in which they are asked. */
  readonly routes: readonly Route[];
}

/** Warns once of every pair of VirtualServices of which one hides routes of the other. */
export class HiddenRoutes {
  readonly #findings: Findings;
  readonly #reported = new Set<string>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  report({ host, owners, routes }: SharedHost): void {
    if (owners.size < 2) return;
    const ownerOf = new Map([...owners].map((owner) => [`${owner.namespace}/${owner.name}`, owner]));
    const taken = new TakenMatches();
    for (const route of routes) {
      const first = taken.takerOf(route.match);
      if (first === null) taken.add(route);
      const owner = ownerOf.get(nameOf(route));
      const firstOwner = first === null ? undefined : ownerOf.get(nameOf(first));
      if (first === null || owner === undefined || firstOwner === undefined || owner === firstOwner) continue;
      this.#warn(host, { route, owner }, { route: first, owner: firstOwner });
    }
  }

  #warn(host: string, hidden: OwnedRoute, first: OwnedRoute): void {
    const pair = `${nameOf(hidden.route)} ${nameOf(first.route)}`;
    if (this.#reported.has(pair)) return;
    this.#reported.add(pair);
    const owner = describeSite(ruleName(first.route), { resource: first.owner, path: hostsPath });
    this.#findings.warn(
      { resource: hidden.owner, path: hostsPath },
      {
        code: "route-taken",
        message: `no request for "${host}" gets to ${ruleName(hidden.route)}: ${owner} takes them all, and comes first`,
        hint: "On one host the rules of the virtual service that was created first come first, and those for every request last. Match something else, or write the rules into one virtual service.",
      },
    );
  }
}

interface OwnedRoute {
  readonly route: Route;
  readonly owner: VirtualService;
}

const hostsPath = ["spec", "hosts"] as const;

function nameOf({ virtualService }: Route): string {
  return `${virtualService.namespace}/${virtualService.name}`;
}

/** `rule 2`, or `rule "cart"`: what a delegate brought in has no index that can be looked up. */
function ruleName({ name, rule }: Route): string {
  return name === "" ? `rule ${rule.http + 1}` : `rule "${name}"`;
}

/** Matches seen so far. A look-up costs the length of a path, not the number of routes. */
class TakenMatches {
  readonly #same = new Map<string, Route>();
  readonly #prefixes = new Map<string, Route>();

  add(route: Route): void {
    const { path, headers, queryParams } = route.match;
    const rest = restKey({ headers, queryParams });
    this.#same.set(rest + JSON.stringify(path), route);
    if (path.kind === "prefix" && !path.ignoreCase) this.#prefixes.set(rest + path.value, route);
    else if (isCatchAll(route.match)) this.#prefixes.set(`${unconditional}/`, route);
  }

  /** The earlier route that takes whatever this match could; null when there is none. */
  takerOf({ path, headers, queryParams }: RouteMatch): Route | null {
    const rest = restKey({ headers, queryParams });
    const same = this.#same.get(rest + JSON.stringify(path));
    if (same !== undefined) return same;
    // What a regular expression or a path in any case takes is not worth a guess, but a route for every path takes it too.
    const text = path.kind === "regex" || path.ignoreCase ? "/" : path.value;
    for (let length = 1; length <= text.length; length++) {
      const prefix = text.slice(0, length);
      const found = this.#prefixes.get(rest + prefix) ?? this.#prefixes.get(unconditional + prefix);
      if (found !== undefined) return found;
    }
    return null;
  }
}

/** Everything a match asks for but its path. Ends with a character that JSON holds no more of. */
function restKey(conditions: Pick<RouteMatch, "headers" | "queryParams">): string {
  return `${JSON.stringify(conditions)}\n`;
}

const unconditional = restKey({ headers: [], queryParams: [] });
