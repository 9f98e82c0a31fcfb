// An explanation as text for people: the answer first, then what led there.
import type { Explanation, Stage, Step } from "./explanation.ts";
import { escapeControls } from "./quote.ts";

/**
 * Prints an explanation. Ends with a newline.
 *
 * ```
 * forward to outbound|8000||httpbin.default.svc.cluster.local
 *
 *   listener      0.0.0.0_80
 *   virtual host  httpbin.example.com:80
 *   route         status
 *
 * what happens
 *   timeout   15 s
 *   cluster   + outbound|8000||httpbin.default.svc.cluster.local  1 of 1 endpoints healthy
 *   endpoint  + 10.0.0.1:8000                                     ready
 *
 * near misses
 *   - route canary (#0) of VirtualService default/httpbin  the path matches, but header x-canary is absent
 *
 * why
 *   listener      + 0.0.0.0_80   port 80, cleartext HTTP
 *   route         - canary (#0)  header x-canary is absent
 *                 + status (#1)  path starts with /status
 * ```
 */
export function renderExplanation(explanation: Explanation): string {
  const { steps } = explanation;
  const lines = [
    headline(explanation),
    "",
    ...found(explanation),
    ...section("what happens", steps.filter(({ stage }) => happening.has(stage)).map(toHappening)),
    ...section("near misses", steps.filter(({ stage }) => stage === "near-miss").map(toNearMiss)),
    ...section("why", steps.filter(({ stage }) => stage !== "near-miss" && !happening.has(stage)).map(toReason)),
  ];
  return `${lines.map(escapeControls).join("\n")}\n`;
}

const errorsInWords: Record<NonNullable<Explanation["error"]>, string> = {
  "no-listener": "nothing listens on this port",
  "no-filter-chain": "no filter chain takes the connection, it is closed",
  "tls-required": "the listener speaks TLS only, the connection is closed",
  "no-virtual-host": "no virtual host has this host",
  "no-route": "no route of the virtual host matches",
  "plaintext-on-tls": "plaintext sent to a TLS listener, the connection is closed",
  "tls-on-plaintext": "a TLS handshake sent to a cleartext listener",
  "client-certificate-required": "the handshake fails for want of an acceptable client certificate",
};

function headline({ action, status, location, error, cluster, clusters }: Explanation): string {
  if (action === "redirect") return `${status} redirect to ${location}`;
  if (action === "reject") {
    const answer = status === null ? "refused" : `${status} ${rejectionName(status)}`;
    return error === null ? answer : `${answer}: ${errorsInWords[error]} (${error})`;
  }
  if (action === "direct-response") return `${status} answered by the gateway itself`;
  if (clusters.length < 2) return `${action} to ${cluster}`;
  return `${action} to ${clusters.map(({ name, weight }) => `${name} (weight ${weight})`).join(", ")}`;
}

function rejectionName(status: number): string {
  return { 400: "Bad Request", 404: "Not Found", 421: "Misdirected Request" }[status] ?? "rejected";
}

function found(explanation: Explanation): readonly string[] {
  const rows: [string, string | null][] = [
    ["listener", explanation.listener],
    ["filter chain", explanation.filterChain],
    ["route config", explanation.routeConfig],
    ["virtual host", explanation.virtualHost],
    ["route", typeof explanation.route === "number" ? `#${explanation.route}` : explanation.route],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value ?? "-"}`);
}

/** A line of a section: what it is about, a candidate with its sign where there is one, and the text. */
interface Row {
  readonly label: string;
  readonly candidate: string;
  readonly text: string;
}

/** Stages that tell what is done with a request, not why it came there. */
const happening: ReadonlySet<Stage> = new Set<Stage>(["redirect", "direct-response", "policy", "cluster", "endpoint"]);

function toHappening(step: Step): Row {
  // What a policy is called says more than that it is one.
  if (step.stage === "policy") return { label: step.candidate, candidate: "", text: step.reason };
  return toReason(step);
}

function toNearMiss({ candidate, reason }: Step): Row {
  return { label: "", candidate: `- ${candidate}`, text: reason };
}

function toReason({ candidate, reason, result, stage }: Step): Row {
  return { label: stage, candidate: `${result === "matched" ? "+" : "-"} ${candidate}`, text: reason };
}

/** Names longer than this push the text to the next line rather than all texts off the screen. */
const maxCandidateWidth = 60;

function section(title: string, rows: readonly Row[]): readonly string[] {
  if (rows.length === 0) return [];
  const labelWidth = Math.max(...rows.map(({ label }) => label.length));
  const width = Math.min(maxCandidateWidth, Math.max(...rows.map(({ candidate }) => candidate.length)));
  let previous = "";
  const lines = rows.flatMap(({ candidate, label, text }) => {
    const indent = labelWidth === 0 ? "  " : `  ${(label === previous ? "" : label).padEnd(labelWidth)}  `;
    previous = label;
    if (candidate === "") return [indent + text];
    if (candidate.length <= width) return [`${indent}${candidate.padEnd(width)}  ${text}`];
    return [indent + candidate, `${" ".repeat(indent.length + 4)}${text}`];
  });
  return ["", title, ...lines];
}
