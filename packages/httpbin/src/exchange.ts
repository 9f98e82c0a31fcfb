// One request and its response as the routes see them: the split request target, the counted body, the usual ways to answer.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { MutableRecord } from "./recorder.ts";
import { RequestError } from "./request-error.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: MutableRecord;
  /** The path up to the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The name this backend was started with. */
  readonly backendName: string;
}

/** Answers with a JSON document; two spaces of indent, since people read these with curl. */
export function sendJson(
  exchange: Exchange,
  body: unknown,
  head: { status?: number; headers?: OutgoingHttpHeaders } = {},
): void {
  const bytes = Buffer.from(`${JSON.stringify(body, null, 2)}\n`);
  const { response } = exchange;
  response.writeHead(head.status ?? 200, {
    "content-type": "application/json",
    ...head.headers,
    "content-length": bytes.length,
  });
  response.end(bytes);
}

/** Reads the body and throws it away, counting. A route that ignores bodies must still empty the socket to keep it alive. */
export function drainBody({ request, record }: Exchange): void {
  request.on("data", (chunk: Buffer) => {
    record.bodyBytes += chunk.length;
  });
}

/** The body chunk by chunk, counted; memory use does not grow with it. */
export async function* bodyChunks({ request, record }: Exchange): AsyncGenerator<Buffer> {
  // Stopping early must not destroy the stream: that would take the socket, and the answer with it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    record.bodyBytes += chunk.length;
    yield chunk;
  }
}

/** The whole body, or a 413 once it exceeds `maxBytes`. */
export async function readBody(exchange: Exchange, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bodyChunks(exchange)) {
    chunks.push(chunk);
    if (exchange.record.bodyBytes > maxBytes) break;
  }
  if (exchange.record.bodyBytes <= maxBytes) return Buffer.concat(chunks);
  drainBody(exchange);
  throw new RequestError(413, `the body exceeds ${maxBytes} bytes`);
}
