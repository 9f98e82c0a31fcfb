// Which requests ask for a WebSocket. The engine takes any GET with a `sec-websocket-key` for one.
import type { UwsRequestHead } from "../request.ts";

/** 16 bytes in base64. */
const keyPattern = /^[A-Za-z0-9+/]{22}==$/;

/** The head as it goes on when it is a handshake of RFC 6455, 4.1; null when it is an ordinary request. */
export function toHandshake(head: UwsRequestHead): UwsRequestHead | null {
  if (head.bodyLength !== 0) return null;
  const fields = new Map<string, string>();
  const headers: string[] = [];
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i] ?? "";
    const value = head.headers[i + 1] ?? "";
    fields.set(name, fields.has(name) ? `${fields.get(name)},${value}` : value);
    if (name !== "sec-websocket-extensions") headers.push(name, value);
  }
  const connection = (fields.get("connection") ?? "").toLowerCase().split(",");
  const isHandshake =
    connection.some((token) => token.trim() === "upgrade") &&
    fields.get("upgrade")?.toLowerCase() === "websocket" &&
    fields.get("sec-websocket-version") === "13" &&
    keyPattern.test(fields.get("sec-websocket-key") ?? "");
  return isHandshake ? { ...head, headers, upgrade: "websocket" } : null;
}
