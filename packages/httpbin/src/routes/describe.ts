// The routes that answer with what they were asked: /headers, /get, /post and their like, /anything, and /delay.
import type { IncomingMessage } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { drainBody, readBody, sendJson } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";
import { parseNumber } from "../parameters.ts";

const maxDescribedBodyBytes = 16 * 1024 * 1024;
const maxDelaySeconds = 10;

/** Header names in the case Go's net/http prints them (`X-B3-Traceid`), sorted; repeated headers joined by a comma. */
function canonicalHeaders(request: IncomingMessage): Record<string, string> {
  const values = new Map<string, string>();
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = canonicalName(rawHeaders[index] ?? "");
    const value = rawHeaders[index + 1] ?? "";
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return Object.fromEntries([...values].toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** A name given once is a string, given several times a list, as the well-known httpbin has it. */
function describeQuery(query: URLSearchParams): Record<string, string | string[]> {
  const entries = new Map<string, string | string[]>();
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    entries.set(name, values.length === 1 ? (values[0] ?? "") : values);
  }
  return Object.fromEntries(entries);
}

/** What every description has; the streaming routes send it without a body's part. */
export function describeHead(exchange: Exchange): Record<string, unknown> {
  const { request, query, backendName } = exchange;
  const scheme = request.headers["x-forwarded-proto"] ?? "http";
  return {
    args: describeQuery(query),
    headers: canonicalHeaders(request),
    method: request.method,
    name: backendName,
    origin: request.headers["x-forwarded-for"] ?? request.socket.remoteAddress,
    url: `${String(scheme)}://${request.headers.host ?? ""}${request.url ?? ""}`,
  };
}

export function answerHeaders(exchange: Exchange): void {
  sendJson(exchange, { headers: canonicalHeaders(exchange.request) });
}

/** The request with its body: `data` as text (or a base64 data URL when it is not UTF-8), `json` parsed or null. */
export async function answerAnything(exchange: Exchange): Promise<void> {
  const body = await readBody(exchange, maxDescribedBodyBytes);
  sendJson(exchange, { ...describeHead(exchange), data: bodyAsText(body), json: bodyAsJson(body) });
}

export async function answerDelay(exchange: Exchange, seconds: string): Promise<void> {
  const delayMs = 1000 * parseNumber(seconds, { name: "delay in seconds", min: 0, max: maxDelaySeconds });
  drainBody(exchange);
  const gone = new AbortController();
  exchange.response.once("close", () => gone.abort());
  await wait(delayMs, undefined, { signal: gone.signal });
  sendJson(exchange, describeHead(exchange));
}

function bodyAsText(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return `data:application/octet-stream;base64,${body.toString("base64")}`;
  }
}

function bodyAsJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return null;
  }
}
