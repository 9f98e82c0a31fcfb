// Header operations of rules and destinations (istio-semantics 2.5, translateAppendHeaders).
import type { HeaderOperations, HeaderPolicy, HeaderRuleOperations, HeaderRules, HeaderValue } from "../model/index.ts";
import { compareText } from "./order.ts";

/** What `headers` asks for: operations, and the authority where it names that header. */
export interface BuiltHeaders {
  readonly policy: HeaderPolicy | null;
  readonly authority: string | null;
}

export function buildHeaders(rules: HeaderRules | undefined): BuiltHeaders {
  if (rules === undefined) return { policy: null, authority: null };
  const request = buildOperations(rules.request ?? {});
  const response = buildOperations(rules.response ?? {});
  const policy = isIdle(request) && isIdle(response) ? null : { request, response };
  return { policy, authority: findAuthority(rules.request?.set) ?? findAuthority(rules.request?.add) };
}

/** Both, the second one's after the first one's: where they set the same header, the second wins. */
export function joinPolicies(first: HeaderPolicy | null, second: HeaderPolicy | null): HeaderPolicy | null {
  if (first === null || second === null) return first ?? second;
  return {
    request: joinOperations(first.request, second.request),
    response: joinOperations(first.response, second.response),
  };
}

function joinOperations(first: HeaderOperations, second: HeaderOperations): HeaderOperations {
  const replaced = new Set(second.set.map(({ name }) => name));
  return {
    remove: [...new Set([...first.remove, ...second.remove])].toSorted(compareText),
    set: sortByName([...first.set.filter(({ name }) => !replaced.has(name)), ...second.set]),
    add: sortByName([...first.add, ...second.add]),
  };
}

function buildOperations({ set = {}, add = {}, remove = [] }: HeaderRuleOperations): HeaderOperations {
  const names = remove.map((name) => name.toLowerCase()).filter((name) => !isPseudo(name));
  return { remove: [...new Set(names)].toSorted(compareText), set: toValues(set), add: toValues(add) };
}

// The authority is no header to Envoy: it is rewritten (`findAuthority`), before anything is added.
function toValues(values: Readonly<Record<string, string>>): readonly HeaderValue[] {
  const entries = Object.entries(values).map(([name, value]) => ({ name: name.toLowerCase(), value }));
  return sortByName(entries.filter(({ name }) => !isPseudo(name)));
}

function findAuthority(values: Readonly<Record<string, string>> = {}): string | null {
  for (const [name, value] of Object.entries(values)) if (isAuthority(name.toLowerCase()) && value !== "") return value;
  return null;
}

function isAuthority(name: string): boolean {
  return name === "host" || name === ":authority";
}

function isPseudo(name: string): boolean {
  return name.startsWith(":") || name === "host";
}

function isIdle({ remove, set, add }: HeaderOperations): boolean {
  return remove.length + set.length + add.length === 0;
}

/** Stable: values of one name keep their order. */
function sortByName(values: readonly HeaderValue[]): readonly HeaderValue[] {
  return values.toSorted((a, b) => compareText(a.name, b.name));
}
