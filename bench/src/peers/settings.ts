// What every Node peer is told on its command line, and the headers that all contenders add.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TLSSocket, TlsOptions } from "node:tls";
import { logRequests } from "./access-log.ts";

export interface PeerSettings {
  readonly plain: number;
  readonly tls: number;
  /** Origin of the backend. */
  readonly target: string;
  readonly certificate: string;
  readonly key: string;
  /** File for a line a request; null: none. */
  readonly accessLog: string | null;
}

/** Reads the settings, one JSON object, from the command line. */
export function readSettings(): PeerSettings {
  return JSON.parse(process.argv[2] ?? "{}") as PeerSettings;
}

/** The key and certificate of a TLS server. */
export function readTls({ certificate, key }: PeerSettings): TlsOptions {
  return { cert: readFileSync(certificate), key: readFileSync(key), honorCipherOrder: false };
}

/** The three headers that every contender adds, onto a request's own. `host` is the client's, as with nginx's `$host`. */
export function addForwardingHeaders(request: IncomingMessage, headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { remoteAddress = "" } = request.socket;
  const before = request.headers["x-forwarded-for"];
  headers["x-forwarded-for"] = before === undefined ? remoteAddress : `${String(before)}, ${remoteAddress}`;
  headers["x-forwarded-proto"] = (request.socket as TLSSocket).encrypted ? "https" : "http";
  headers["x-request-id"] = randomUUID();
  if (request.headers.host !== undefined) headers.host = request.headers.host;
  return headers;
}

/** The two servers of a peer that is a request listener: plain HTTP, and TLS by node:https. Connections are kept for good. */
export function listen(settings: PeerSettings, onRequest: RequestListener): readonly Server[] {
  const plain = createServer(onRequest).listen(settings.plain, "127.0.0.1");
  const tls = createTlsServer(readTls(settings), onRequest).listen(settings.tls, "127.0.0.1");
  for (const server of [plain, tls]) server.keepAliveTimeout = 0;
  logRequests([plain, tls], settings.accessLog);
  return [plain, tls];
}
