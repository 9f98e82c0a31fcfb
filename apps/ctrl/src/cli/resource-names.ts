// How people name resources: `vs shop`, `virtualservices/shop`, `Gateway`.
import type { Kind } from "@sluice/core/model";
import { kinds } from "../api/resource-params.ts";
import { usageFailure } from "./failure.ts";

/** kubectl's short names. */
const shortNames: Readonly<Record<string, Kind>> = {
  gw: "Gateway",
  vs: "VirtualService",
  dr: "DestinationRule",
  se: "ServiceEntry",
  we: "WorkloadEntry",
  cm: "ConfigMap",
  svc: "Service",
  ep: "Endpoints",
};

export interface NamedResource {
  readonly kind: Kind;
  readonly name: string | null;
}

/** Kind, plural or short name, in any case. @throws CommandFailure 2 */
export function parseKind(text: string): Kind {
  const wanted = text.toLowerCase();
  const short = shortNames[wanted];
  if (short !== undefined) return short;
  const found = kinds.find((kind) => [kind, `${kind}s`, plural(kind)].some((form) => form.toLowerCase() === wanted));
  if (found !== undefined) return found;
  throw usageFailure(`error: there is no kind "${text}"; known are ${kinds.join(", ")}`);
}

/** `kind name`, `kind/name`, or `kind` alone. @throws CommandFailure 2 */
export function parseResource(first: string, second: string | undefined): NamedResource {
  const [kind = "", name, ...rest] = first.split("/");
  if (rest.length > 0 || name === "" || (name !== undefined && second !== undefined)) {
    throw usageFailure(
      `error: name a resource as "kind name" or "kind/name", not "${[first, second].join(" ").trim()}"`,
    );
  }
  return { kind: parseKind(kind), name: name ?? second ?? null };
}

function plural(kind: Kind): string {
  return kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}
