// Between the HTTP/1.1 head that the proxy writes and the header objects of node:http2. One writer of heads, so that both protocols
// carry the same fields; only requests that leave by HTTP/2 pay for reading it back.
import type { OutgoingHttpHeaders } from "node:http2";
import { fieldNameOf } from "./field-name.ts";
import type { UpstreamRequest } from "./send-request.ts";

/** Fields of the head that HTTP/2 says in another way or must not say (RFC 9113, 8.2.2 and 8.3.1; RFC 8441, 5). */
const leftOut = new Set(["host", "connection", "upgrade", "transfer-encoding", "keep-alive", "proxy-connection"]);

/** Headers for `ClientHttp2Session.request`. An upgrade becomes an extended CONNECT. */
export function toHttp2Headers({ head, method, origin }: UpstreamRequest): OutgoingHttpHeaders {
  const lineEnd = head.indexOf("\r\n");
  const isUpgrade = origin.upgrade !== null;
  // Without prototype: names are the client's.
  const headers = Object.create(null) as OutgoingHttpHeaders;
  headers[":method"] = isUpgrade ? "CONNECT" : method;
  if (isUpgrade) headers[":protocol"] = origin.upgrade ?? "";
  headers[":scheme"] = origin.scheme;
  headers[":authority"] = origin.authority;
  headers[":path"] = head.slice(head.indexOf(" ") + 1, head.lastIndexOf(" ", lineEnd));
  for (let start = lineEnd + 2; head.charCodeAt(start) !== 13;) {
    const colon = head.indexOf(":", start);
    const end = head.indexOf("\r\n", colon);
    const name = head.slice(start, colon);
    start = end + 2;
    if (leftOut.has(name) || (isUpgrade && name === "sec-websocket-key")) continue;
    const value = head.slice(colon + 2, end);
    const before = headers[name];
    // Node refuses to repeat some names and orders the others anew; one joined field means the same (RFC 9110, 5.3; RFC 9113, 8.2.3).
    headers[name] = before === undefined ? value : `${String(before)}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}

/** Flat fields as an object for `sendTrailers`; repeated names become lists. */
export function toHeaderObject(fields: readonly string[]): OutgoingHttpHeaders {
  const headers = Object.create(null) as OutgoingHttpHeaders;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? "";
    const value = fields[i + 1] ?? "";
    const before = headers[name];
    headers[name] = before === undefined ? value : `${String(before)}, ${value}`;
  }
  return headers;
}

/** What node:http2 hands over as raw headers, without pseudo headers and what concerns this connection. */
export function endToEndFields(raw: readonly string[]): string[] {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const field = fieldNameOf(raw[i] ?? "");
    if (field?.role === "endToEnd") fields.push(field.name, raw[i + 1] ?? "");
  }
  return fields;
}
