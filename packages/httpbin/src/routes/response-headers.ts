// /response-headers?name=value: answers with the headers asked for, a repeated name as repeated header lines.
import { validateHeaderName, validateHeaderValue } from "node:http";
import { sendJson } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";
import { RequestError } from "../request-error.ts";

// These decide where this answer ends. The /fault routes are for answers that end wrongly.
const framingHeaders = new Set(["content-length", "transfer-encoding", "trailer"]);

export function answerResponseHeaders(exchange: Exchange): void {
  const headers = new Map<string, string[]>();
  for (const [givenName, value] of exchange.query) {
    const name = givenName.toLowerCase();
    refuseUnusable(name, value);
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  const given = Object.fromEntries(headers);
  sendJson(exchange, given, { headers: given });
}

function refuseUnusable(name: string, value: string): void {
  if (framingHeaders.has(name)) throw new RequestError(400, `${name} cannot be chosen: it frames this answer`);
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw new RequestError(400, `${JSON.stringify(name)} or its value is not a valid header`);
  }
}
