// Turns a question into the request that routes are asked about, as the edge would see it.
import type { MatchRequest } from "../match/match-request.ts";
import { normalizePath } from "../model/path.ts";
import type { Question } from "./explanation.ts";

/** The request of a question, or null when the edge would answer 400 to its path. */
export function toMatchRequest(question: Question): MatchRequest | null {
  const mark = question.path.indexOf("?");
  const rawPath = mark < 0 ? question.path : question.path.slice(0, mark);
  // On the wire a path is bytes; what somebody types is Unicode.
  const path = normalizePath(Buffer.from(rawPath === "" ? "/" : rawPath, "utf8").toString("latin1"));
  if (path === null) return null;
  const headers = collectHeaders(question.headers);
  return {
    path,
    query: mark < 0 ? "" : question.path.slice(mark + 1),
    method: question.method,
    authority: question.host,
    scheme: question.scheme,
    header: (name) => headers.get(name) ?? null,
  };
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
