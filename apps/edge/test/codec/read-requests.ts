// Reads a stream of bytes as the requests it holds: with our parser, and with node:http.
import { createServer, type IncomingMessage } from "node:http";
import { duplexPair } from "node:stream";
import type { Http1RequestHead } from "../../src/codec/http1/request-head.ts";
import { RequestParser, type RequestParserLimits } from "../../src/codec/http1/request-parser.ts";
import type { FailureCode } from "../../src/exchange/failure.ts";

export interface ReadRequest {
  readonly method: string;
  /** As sent. */
  readonly target: string;
  /** Flat, names in lower case, without `host`. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface Reading {
  readonly requests: readonly ReadRequest[];
  /** Why nothing more was read; null when the bytes ended. */
  readonly fault: FailureCode | null;
  /** A request had begun when the bytes ended. */
  readonly isCutShort: boolean;
}

export const limits: RequestParserLimits = { maxHeadBytes: 16_384, maxHeaderCount: 100, allowsHttp10: true };

/** @param pieces the stream as it arrives; where it is cut must not matter */
export function readWithOurs(pieces: readonly Buffer[], options: Partial<RequestParserLimits> = {}): Reading {
  const requests: ReadRequest[] = [];
  let fault: FailureCode | null = null;
  let head: Http1RequestHead | null = null;
  let body = "";
  let isClosing = false;
  const finish = (): void => {
    if (head === null) return;
    requests.push({ method: head.method, target: head.target, headers: head.headers, body });
    isClosing = head.closesConnection;
    head = null;
    body = "";
  };
  const parser = new RequestParser(
    {
      onHead: (received) => {
        head = received;
        if (received.bodyLength === 0) finish();
      },
      onBody: (chunk) => (body += Buffer.from(chunk).toString("latin1")),
      onEnd: finish,
      onFault: (failure) => (fault = failure),
    },
    { ...limits, ...options },
  );
  for (const piece of pieces) {
    let position = 0;
    for (let before = -1; position < piece.length && position !== before && fault === null && !isClosing;) {
      before = position;
      position = parser.execute(piece, position);
      parser.next();
    }
  }
  return { requests, fault, isCutShort: fault === null && !isClosing && !parser.isBetweenRequests };
}

/** The requests that node:http sees. It answers each, so that it goes on to the next. */
export async function readWithNode(bytes: Buffer): Promise<readonly ReadRequest[]> {
  const requests: ReadRequest[] = [];
  const server = createServer({
    requireHostHeader: false,
    maxHeaderSize: limits.maxHeadBytes,
    joinDuplicateHeaders: false,
  });
  server.maxHeadersCount = 0;
  server.on("request", (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    request.on("end", () => {
      requests.push({ method: request.method ?? "", target: request.url ?? "", headers: flatten(request), body });
      response.end();
    });
    request.on("error", () => undefined);
  });
  // What was read before the error is still on its way to its listeners.
  server.on("clientError", (_error, socket) => setImmediate(() => setImmediate(() => socket.destroy())));
  const [client, downstream] = duplexPair();
  client.on("error", () => undefined).resume();
  downstream.on("error", () => undefined);
  const closed = new Promise((resolve) => downstream.once("close", resolve));
  server.emit("connection", downstream);
  client.end(bytes);
  await closed;
  return requests;
}

function flatten({ rawHeaders }: IncomingMessage): string[] {
  const headers: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    if (name !== "host") headers.push(name, rawHeaders[i + 1] ?? "");
  }
  return headers;
}
