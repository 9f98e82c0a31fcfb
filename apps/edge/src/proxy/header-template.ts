// Header values with Envoy's command operators (`%DOWNSTREAM_REMOTE_ADDRESS%`, `%REQ(x-user?x-client):8%`), read once and filled in for each
// message (core/model/header-format.ts knows which operators there are).
// What operators bring in was written by clients, upstreams and certificate authorities: it never carries a line end into a head.
import { hostname } from "node:os";
import { type HeaderFormatPart, isFormatProblem, parseHeaderFormat, type PlainOperator } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";
import { fieldStart, findField, startOf } from "./head-text.ts";

/**
 * The value of an operator; empty when there is none.
 *
 * @param head the request as it goes upstream
 * @param response flat headers of the response; none while there is no response
 */
type Operator = (exchange: Exchange, head: string, response: readonly string[]) => string;

export class HeaderTemplate {
  /** The value, where no operator is in it. */
  readonly constant: string | null;
  readonly #parts: readonly (string | Operator)[];

  constructor(text: string) {
    this.#parts = parseTemplate(text);
    const [first = "", second] = this.#parts;
    this.constant = second === undefined && typeof first === "string" ? first : null;
  }

  evaluate(exchange: Exchange, head: string, response: readonly string[]): string {
    if (this.constant !== null) return this.constant;
    let value = "";
    for (const part of this.#parts) value += typeof part === "string" ? part : part(exchange, head, response);
    return toFieldText(value);
  }
}

// Written as latin1, U+010A would become the byte 0x0A: a line feed, and with it a header of somebody's choice.
const unsafe = /[^\t\x20-\x7e\x80-\xff]/g;

/** Without control characters; characters that are no byte percent-encoded. */
function toFieldText(text: string): string {
  return text.replace(unsafe, (character) => (character > "\xff" ? percentEncode(character) : ""));
}

function percentEncode(character: string): string {
  const bytes = [...Buffer.from(character, "utf8")];
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** The compiler refuses values that are none; should one come all the same, it is empty and hence not sent. */
function parseTemplate(text: string): (string | Operator)[] {
  const parts = parseHeaderFormat(text);
  return isFormatProblem(parts) ? [""] : parts.map(compilePart);
}

function compilePart(part: HeaderFormatPart): string | Operator {
  switch (part.kind) {
    case "text":
      return toFieldText(toBytes(part.text));
    case "operator":
      return plainOperators[part.name];
    case "header":
      return headerOperator(part);
  }
}

/** Heads are latin1: what configuration says in other letters goes out as UTF-8. */
function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

const machine = hostname();

const plainOperators: Readonly<Record<PlainOperator, Operator>> = {
  DOWNSTREAM_REMOTE_ADDRESS: ({ downstream }) => withPort(downstream.remoteAddress, downstream.remotePort),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: ({ downstream }) => downstream.remoteAddress,
  DOWNSTREAM_REMOTE_PORT: ({ downstream }) => String(downstream.remotePort),
  DOWNSTREAM_LOCAL_ADDRESS: ({ downstream }) => withPort(downstream.localAddress, downstream.localPort),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: ({ downstream }) => downstream.localAddress,
  DOWNSTREAM_LOCAL_PORT: ({ downstream }) => String(downstream.localPort),
  DOWNSTREAM_PEER_SUBJECT: ({ downstream }) => downstream.peerCertificate?.subject ?? "",
  DOWNSTREAM_PEER_URI_SAN: ({ downstream }) => downstream.peerCertificate?.uris.join(",") ?? "",
  DOWNSTREAM_TLS_VERSION: ({ downstream }) => downstream.tlsVersion ?? "",
  PROTOCOL: ({ protocol }) => protocol,
  START_TIME: ({ startedAtMs }) => new Date(startedAtMs).toISOString(),
  HOSTNAME: () => machine,
  UPSTREAM_HOST: ({ upstream }) => upstream?.remoteAddress ?? "",
  UPSTREAM_CLUSTER: ({ cluster }) => cluster,
  ROUTE_NAME: ({ selection }) => selection?.routeName ?? "",
};

function headerOperator(part: Extract<HeaderFormatPart, { kind: "header" }>): Operator {
  const fieldOf = part.of === "request" ? requestField : responseField;
  const field = fieldOf(part.name);
  const alternative = part.alternative === "" ? null : fieldOf(part.alternative);
  const maxLength = part.maxLength === 0 ? Infinity : part.maxLength;
  return (exchange, head, response) => {
    const value = field(exchange, head, response);
    const found = value === "" && alternative !== null ? alternative(exchange, head, response) : value;
    return found.slice(0, maxLength);
  };
}

/** Of the request as the gateway has made it: a client's own `x-envoy-` or `x-forwarded-client-cert` cannot be read here. */
function requestField(name: string): Operator {
  const start = fieldStart(name);
  switch (name) {
    case ":method":
      return ({ method }) => method;
    case ":scheme":
      return ({ scheme }) => scheme;
    case ":path":
      return (_exchange, head) => startOf(head).target;
    case ":authority":
    case "host":
      return (_exchange, head) => startOf(head).host;
    default:
      return (_exchange, head) => findField(head, start) ?? "";
  }
}

function responseField(name: string): Operator {
  return (_exchange, _head, response) => {
    for (let i = 0; i < response.length; i += 2) {
      if (response[i] === name) return response[i + 1] ?? "";
    }
    return "";
  };
}

function withPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
