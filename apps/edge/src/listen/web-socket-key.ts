// The handshake's key and its answer (RFC 6455, 4.2.2), for clients and upstreams that do not both speak it.
import { createHash, randomBytes } from "node:crypto";

const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A `sec-websocket-key` as a client would make it. */
export function newWebSocketKey(): string {
  return randomBytes(16).toString("base64");
}

/** The `sec-websocket-accept` that proves to a client that its key was read. */
export function webSocketAccept(key: string): string {
  return createHash("sha1")
    .update(key + acceptSuffix)
    .digest("base64");
}
