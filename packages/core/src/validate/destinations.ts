// `route` of a rule, whatever its protocol: destinations and their weights.
import type { FieldPath, RouteDestination } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { hostProblem, type HostProblem } from "./hosts.ts";
import type { Reporter } from "./reporter.ts";

/** Checks the destinations of the rule at `path`. */
export function checkDestinations(route: readonly RouteDestination[], path: FieldPath, reporter: Reporter): void {
  if (route.length === 0) {
    const message = `this rule does not say where its ${path[1] === "http" ? "requests" : "connections"} go`;
    reporter.error({ code: "missing-action", path, message, hint: "Add a route with a destination." });
  }
  for (const [index, { destination }] of route.entries()) {
    const problem = hostProblem(destination.host) ?? wildcardProblem(destination.host);
    if (problem === null) continue;
    const message = `${quote(destination.host)}: ${problem.message}`;
    const hostPath = [...path, "route", index, "destination", "host"];
    reporter.error({ code: "invalid-host", path: hostPath, message, hint: problem.hint });
  }
  if (route.length < 2 || route.some(({ weight = 0 }) => weight > 0)) return;
  const message = `the weights of ${route.length} destinations add up to 0`;
  reporter.error({ code: "invalid-weights", path: [...path, "route"], message, hint: "Give one a weight above 0." });
}

function wildcardProblem(host: string): HostProblem | null {
  return host.includes("*") ? { message: "a destination is one service, not a wildcard" } : null;
}
