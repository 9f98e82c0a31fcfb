// The WebSocket handshake of HTTP/1.1 (RFC 6455, 4) where the other side speaks HTTP/2, which has none: the gateway asks or answers
// in its place. The key proves that the upstream speaks WebSocket and is no server that echoes what it gets.
import { createHash, randomBytes } from "node:crypto";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const keyField = "\r\nsec-websocket-key: ";

/** A fresh value for `sec-websocket-key`. */
export function newWebSocketKey(): string {
  return randomBytes(16).toString("base64");
}

/** What a server that speaks WebSocket answers to `key`. */
export function webSocketAccept(key: string): string {
  return createHash("sha1").update(`${key}${guid}`).digest("base64");
}

/** The key in a request head; null without one. */
export function webSocketKeyOf(head: string): string | null {
  const start = head.indexOf(keyField);
  if (start < 0) return null;
  return head.slice(start + keyField.length, head.indexOf("\r\n", start + keyField.length));
}

/** True when flat response `headers` answer the key in `head`. */
export function isWebSocketAnswer(head: string, headers: readonly string[]): boolean {
  const key = webSocketKeyOf(head);
  const at = headers.findIndex((name, index) => index % 2 === 0 && name === "sec-websocket-accept");
  return key !== null && at >= 0 && headers[at + 1] === webSocketAccept(key);
}

/** `headers` without the answer, which a client on HTTP/2 did not ask for. */
export function withoutWebSocketAnswer(headers: readonly string[]): string[] {
  return headers.filter((_, index) => headers[index - (index % 2)] !== "sec-websocket-accept");
}
