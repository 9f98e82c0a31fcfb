// `route` of a rule, whatever its protocol: destinations and their weights.
import type { Destination, FieldPath, RouteDestination } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isLabelName } from "../parse/identify.ts";
import { hostProblem, type HostProblem } from "./hosts.ts";
import type { Reporter } from "./reporter.ts";

/** Checks the destinations of the rule at `path`. */
export function checkDestinations(route: readonly RouteDestination[], path: FieldPath, reporter: Reporter): void {
  for (const [index, { destination }] of route.entries()) {
    checkDestination(destination, [...path, "route", index, "destination"], reporter);
  }
  if (route.length < 2 || route.some(({ weight = 0 }) => weight > 0)) return;
  const message = `the weights of ${route.length} destinations add up to 0`;
  reporter.error({ code: "invalid-weights", path: [...path, "route"], message, hint: "Give one a weight above 0." });
}

/** Checks the destination at `path`: one of a route, or a mirror. */
export function checkDestination({ host, subset = "" }: Destination, path: FieldPath, reporter: Reporter): void {
  const problem = hostProblem(host) ?? wildcardProblem(host);
  if (problem !== null) {
    const message = `${quote(host)}: ${problem.message}`;
    reporter.error({ code: "invalid-host", path: [...path, "host"], message, hint: problem.hint });
  }
  if (subset === "" || isLabelName(subset)) return;
  const message = `${quote(subset)} cannot be the name of a subset`;
  const hint = "Lower-case letters, digits and inner hyphens, 63 at most.";
  reporter.error({ code: "invalid-value", path: [...path, "subset"], message, hint });
}

function wildcardProblem(host: string): HostProblem | null {
  return host.includes("*") ? { message: "a destination is one service, not a wildcard" } : null;
}
