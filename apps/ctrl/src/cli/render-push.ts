// The answer to a push as people read it.
import type { z } from "zod";
import type { differenceSchema, pushAnswerSchema } from "../api/schemas.ts";
import { escapeControls } from "./render-diagnostics.ts";

export type PushAnswer = z.output<typeof pushAnswerSchema>;
type Difference = z.output<typeof differenceSchema>;
type ChangeKind = PushAnswer["changes"][number]["change"];

const signs: Readonly<Record<ChangeKind, string>> = { added: "+", changed: "~", removed: "-" };
const colours: Readonly<Record<string, string>> = { "+": "\u001b[32m", "~": "\u001b[33m", "-": "\u001b[31m" };
const plain = "\u001b[0m";

/** One line a resource, then what it does to the table (of a dry run), or who serves it. */
export function renderPush(answer: PushAnswer, hasColour: boolean): string {
  const { changes, difference } = answer;
  const lines = changes.map(({ change, kind, namespace, name }) =>
    paint(signs[change], `${kind} ${namespace}/${name} ${change}`, hasColour),
  );
  if (!answer.changed) lines.push("nothing to change");
  if (difference !== undefined) lines.push(...renderDifference(difference, hasColour));
  if (answer.dryRun) lines.push("dry run: nothing was stored");
  else lines.push(renderVersion(answer));
  return `${lines.join("\n")}\n`;
}

/** Why the command's work is not done although it was stored; null when it is. */
export function describePending({ number, dryRun, convergence }: PushAnswer, waitSeconds: number): string | null {
  if (dryRun || waitSeconds === 0 || convergence?.state !== "pending") return null;
  const waiting = convergence.edges
    .filter(({ state }) => state !== "serving")
    .map(({ id, state }) => `${id} (${state})`);
  return `version ${number} is stored, but not served everywhere within ${waitSeconds} s: ${waiting.join(", ")}`;
}

function renderVersion({ number, version, convergence }: PushAnswer): string {
  const edges = convergence?.edges ?? [];
  const serving = edges.filter(({ state }) => state === "serving");
  const workers = serving.flatMap((edge) => edge.workers);
  const slowestMs = Math.max(0, ...workers.map(({ appliedMs }) => appliedMs ?? 0));
  const named = `version ${number} (${version})`;
  if (edges.length === 0) return `${named}; no edge is connected`;
  return `${named} served by ${serving.length} of ${count(edges.length, "edge")}, ${count(workers.length, "worker")}, slowest in ${slowestMs} ms`;
}

function renderDifference({ listeners, hosts, clusters, secrets, omitted }: Difference, hasColour: boolean): string[] {
  const named = (title: string, entries: readonly { readonly change: ChangeKind; readonly name: string }[]) =>
    entries.map(({ change, name }) => paint(signs[change], `${title} ${name}`, hasColour));
  const routes = hosts.flatMap(({ change, name, routeConfig, routes: changes }) => [
    paint(signs[change], `host ${name} in ${routeConfig}`, hasColour),
    ...changes.map((route) => `    ${paint(signs[route.change], route.route, hasColour)}`),
  ]);
  return [
    ...named("listener", listeners),
    ...routes,
    ...named("cluster", clusters),
    ...named("secret", secrets),
    ...(omitted === 0 ? [] : [`and ${omitted} more`]),
  ];
}

export function paint(sign: string, text: string, hasColour: boolean): string {
  const line = `${sign} ${escapeControls(text)}`;
  return hasColour ? `${colours[sign] ?? ""}${line}${plain}` : line;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
