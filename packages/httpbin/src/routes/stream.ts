// The routes whose answers take a while: /bytes, /stream and /sse. None is ahead of the client by more than one write.
import type { ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Exchange } from "../exchange.ts";
import { parseInteger } from "../parameters.ts";
import { patternPeriodBytes, patternSlice } from "../pattern.ts";
import { describeHead } from "./describe.ts";

const maxBytes = 2 * 1024 ** 3;
const maxLines = 10_000;
const maxEvents = 1_000_000;
const maxIntervalMs = 60_000;

/** `/bytes/{n}` with a length; with `?chunked=1` the same bytes without one. */
export async function answerBytes({ request, response, query }: Exchange, count: string): Promise<void> {
  const byteCount = parseInteger(count, { name: "byte count", min: 0, max: maxBytes });
  const length = query.get("chunked") === "1" ? {} : { "content-length": byteCount };
  response.writeHead(200, { "content-type": "application/octet-stream", ...length });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  let remaining = byteCount;
  while (remaining > patternPeriodBytes) {
    if (!(await writeSlowly(response, patternSlice(patternPeriodBytes)))) return;
    remaining -= patternPeriodBytes;
  }
  response.end(patternSlice(remaining));
}

/** `/stream/{n}`: n lines of JSON, each one chunk. */
export async function answerStream(exchange: Exchange, count: string): Promise<void> {
  const lineCount = parseInteger(count, { name: "line count", min: 0, max: maxLines });
  const { response } = exchange;
  const head = describeHead(exchange);
  response.writeHead(200, { "content-type": "application/json" });
  for (let id = 0; id < lineCount; id++) {
    if (!(await writeSlowly(response, `${JSON.stringify({ id, ...head })}\n`))) return;
  }
  response.end();
}

/** `/sse?count=&intervalMs=`: server-sent events `{"id": n}`, the first at once. */
export async function answerSse({ response, query }: Exchange): Promise<void> {
  const count = parseInteger(query.get("count") ?? "10", { name: "count", min: 1, max: maxEvents });
  const interval = query.get("intervalMs") ?? "1000";
  const intervalMs = parseInteger(interval, { name: "intervalMs", min: 0, max: maxIntervalMs });
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (let id = 0; id < count; id++) {
    if (id > 0) await wait(intervalMs, undefined, { signal: gone.signal });
    if (!(await writeSlowly(response, `id: ${id}\ndata: ${JSON.stringify({ id })}\n\n`))) return;
  }
  response.end();
}

/** Writes and waits until the socket takes more. False when the client has gone: stop. */
async function writeSlowly(response: ServerResponse, chunk: Buffer | string): Promise<boolean> {
  if (response.destroyed) return false;
  if (!response.write(chunk)) await drainedOrClosed(response);
  return !response.destroyed;
}

function drainedOrClosed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off("drain", settle);
      response.off("close", settle);
      resolve();
    };
    response.on("drain", settle);
    response.on("close", settle);
  });
}
