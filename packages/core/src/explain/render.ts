// An explanation as text for people: the answer first, then what led there.
import type { Explanation, Step } from "./explanation.ts";
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
 * why
 *   listener      + 0.0.0.0_80   port 80, cleartext HTTP
 *   route         - #0           path "/x" does not start with /status
 * ```
 */
export function renderExplanation(explanation: Explanation): string {
  const lines = [headline(explanation), "", ...found(explanation), "", "why", ...why(explanation.steps)];
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

/** Names longer than this push the reasons to the next line rather than all reasons off the screen. */
const maxCandidateWidth = 48;

function why(steps: readonly Step[]): readonly string[] {
  const stageWidth = Math.max(0, ...steps.map(({ stage }) => stage.length));
  const candidateWidth = Math.min(maxCandidateWidth, Math.max(0, ...steps.map(({ candidate }) => candidate.length)));
  let previous = "";
  return steps.flatMap(({ stage, candidate, result, reason }) => {
    const label = (stage === previous ? "" : stage).padEnd(stageWidth);
    previous = stage;
    const head = `  ${label}  ${result === "matched" ? "+" : "-"} `;
    if (candidate.length <= candidateWidth) return [`${head}${candidate.padEnd(candidateWidth)}  ${reason}`];
    return [`${head}${candidate}`, `${" ".repeat(head.length + 2)}${reason}`];
  });
}
