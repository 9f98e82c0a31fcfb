// What a route or destination does to headers: remove, then set, then add, as Envoy does. Compiled once; a value without operators is a
// ready line.
import type { HeaderOperations as Source, HeaderPolicy, HeaderValue } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";
import { removeHeader, setHeader } from "./flat-headers.ts";
import { appendLines, fieldStart, removeField } from "./head-text.ts";
import { HeaderTemplate } from "./header-template.ts";

// Out of reach whatever a table says: where a message ends, what belongs to one hop, and whom it is for (authorities are rewritten, not
// set). Operations on them would let one request be read as two.
const untouchable = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  // The gateway's name is written last, as Envoy's is.
  "server",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const isToken = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

interface Written {
  readonly name: string;
  readonly start: string;
  readonly template: HeaderTemplate;
}

export class HeaderOperations {
  readonly #removed: readonly string[];
  readonly #removedStarts: readonly string[];
  readonly #set: readonly Written[];
  readonly #added: readonly Written[];
  /** Some value is made for each message. */
  readonly #quotes: boolean;

  constructor({ remove, set, add }: Source) {
    this.#removed = remove.filter(isReachable);
    this.#removedStarts = this.#removed.map(fieldStart);
    this.#set = compile(set);
    this.#added = compile(add);
    this.#quotes = [...this.#set, ...this.#added].some(({ template }) => template.constant === null);
  }

  get isEmpty(): boolean {
    return this.#removed.length + this.#set.length + this.#added.length === 0;
  }

  /**
   * The request head with the operations done. A value that turns out empty is not written, and all values quote what came, without what
   * is removed: no operation sees what another one of its level has written (Envoy's `evaluateHeaders`).
   */
  applyToHead(head: string, exchange: Exchange): string {
    let quoted = head;
    for (const start of this.#removedStarts) quoted = removeField(quoted, start);
    let result = quoted;
    for (const { name, start, template } of this.#set) {
      const value = template.evaluate(exchange, quoted, noHeaders);
      if (value !== "") result = appendLines(removeField(result, start), `${name}: ${value}\r\n`);
    }
    for (const { name, template } of this.#added) {
      const value = template.evaluate(exchange, quoted, noHeaders);
      if (value !== "") result = appendLines(result, `${name}: ${value}\r\n`);
    }
    return result;
  }

  /**
   * The same, in place, on a response's flat headers.
   *
   * @param head of the request, which values may quote
   */
  applyToHeaders(headers: string[], exchange: Exchange, head: string): void {
    for (const name of this.#removed) removeHeader(headers, name);
    const quoted = this.#quotes ? headers.slice() : headers;
    for (const { name, template } of this.#set) {
      const value = template.evaluate(exchange, head, quoted);
      if (value !== "") setHeader(headers, name, value);
    }
    for (const { name, template } of this.#added) {
      const value = template.evaluate(exchange, head, quoted);
      if (value !== "") headers.push(name, value);
    }
  }
}

const noHeaders: readonly string[] = [];

/** The operations of one direction, most specific first; null when there are none. */
export function compileOperations(
  policies: readonly (HeaderPolicy | null)[],
  direction: keyof HeaderPolicy,
): readonly HeaderOperations[] | null {
  const all = policies.flatMap((policy) => (policy === null ? [] : [new HeaderOperations(policy[direction])]));
  const used = all.filter(({ isEmpty }) => !isEmpty);
  return used.length === 0 ? null : used;
}

function compile(values: readonly HeaderValue[]): Written[] {
  return values
    .filter(({ name }) => isReachable(name))
    .map(({ name, value }) => ({ name, start: fieldStart(name), template: new HeaderTemplate(value) }));
}

function isReachable(name: string): boolean {
  return isToken.test(name) && !untouchable.has(name);
}
