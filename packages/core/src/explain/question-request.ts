// Turns a question into the request that routes are asked about, as the edge would see it.
import type { MatchRequest } from "../match/match-request.ts";
import { isPlainQuery, normalizePath } from "../model/path.ts";
import type { Question } from "./explanation.ts";

/** The request of a question, or null when the edge would answer 400 to its path or its query. */
export function toMatchRequest(question: Question): MatchRequest | null {
  const mark = question.path.indexOf("?");
  const rawPath = mark < 0 ? question.path : question.path.slice(0, mark);
  const path = normalizePath(toBytes(rawPath === "" ? "/" : rawPath));
  const query = mark < 0 ? "" : toBytes(question.path.slice(mark + 1));
  if (path === null || !isPlainQuery(query)) return null;
  const headers = collectHeaders(question.headers);
  return {
    path,
    query,
    method: question.method,
    authority: question.host,
    scheme: question.scheme,
    header: (name) => headers.get(name) ?? null,
  };
}

/** On the wire a target is bytes; what somebody types is Unicode. */
function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Lower-case names, values of repeated headers joined with `,`. */
function collectHeaders(headers: Question["headers"]): ReadonlyMap<string, string> {
  const collected = new Map<string, string>();
  for (const [rawName, value] of headers) {
    const name = rawName.toLowerCase();
    const before = collected.get(name);
    collected.set(name, before === undefined ? value : `${before},${value}`);
  }
  return collected;
}
