// The last stage of a request that a route takes: what the route does with it, in words, and where it goes.
import type { MatchRequest } from "../match/match-request.ts";
import { PathRewriter } from "../match/path-rewriter.ts";
import { RedirectLocation } from "../match/redirect-location.ts";
import type { ForwardAction, RedirectAction, Route } from "../model/index.ts";
import { describeForwarding, describePolicy, type PolicyLine } from "./describe-policy.ts";
import { quote } from "./quote.ts";
import { inRequests, readClusters } from "./read-clusters.ts";
import type { Outcome, Reading } from "./reading.ts";

export function readAction(reading: Reading, route: Route, request: MatchRequest): Outcome {
  const { action } = route;
  note(reading, describePolicy(route.policy));
  switch (action.kind) {
    case "redirect":
      return readRedirect(reading, { route, action }, request);
    case "direct-response":
      reading.diary.matched("direct-response", String(action.status), describeBody(action.body));
      return { action: "direct-response", status: action.status };
    case "forward":
      if (!readRewrite(reading, { route, action }, request)) return { action: "reject", status: 400 };
      note(reading, describeForwarding(action));
      readClusters(reading, action.clusters, inRequests);
      return { action: "forward" };
  }
}

function note({ diary }: Reading, lines: readonly PolicyLine[]): void {
  for (const { name, text } of lines) diary.matched("policy", name, text);
}

function readRedirect(
  { diary }: Reading,
  { route, action }: { readonly route: Route; readonly action: RedirectAction },
  request: MatchRequest,
): Outcome {
  const location = new RedirectLocation(action, route.match.path).of(request);
  diary.matched("redirect", String(action.status), `to ${location}`);
  return { action: "redirect", status: action.status, location };
}

/** False when the edge refuses the request: no target comes of the rewrite that has a single reading. */
function readRewrite(
  { diary }: Reading,
  { route, action: { rewrite } }: { readonly route: Route; readonly action: ForwardAction },
  request: MatchRequest,
): boolean {
  if (rewrite === null) return true;
  const parts: string[] = [];
  if (rewrite.path !== null) {
    const target = new PathRewriter(rewrite.path, route.match.path).rewrite(request.path, request.query);
    if (target === null) {
      diary.rejected(
        "policy",
        "rewrite",
        `what it makes of path ${quote(request.path)} is no path that has one reading`,
      );
      return false;
    }
    parts.push(`path ${quote(targetOf(request))} becomes ${quote(target)}`);
  }
  if (rewrite.authority !== null) parts.push(`authority becomes ${quote(rewrite.authority)}`);
  diary.matched("policy", "rewrite", parts.join(", "));
  return true;
}

function targetOf({ path, query }: MatchRequest): string {
  return query === "" ? path : `${path}?${query}`;
}

/** A body is shown as far as a line goes. */
const shownBodyChars = 60;

function describeBody(body: Uint8Array): string {
  if (body.length === 0) return "answered without an upstream, without a body";
  const text = Buffer.from(body).toString("utf8");
  const shown = text.length > shownBodyChars ? `${quote(text.slice(0, shownBodyChars))}…` : quote(text);
  return `answered without an upstream: ${shown} (${body.length} bytes)`;
}
