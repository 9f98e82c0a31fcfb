// Header operations in the spelling of Istio 1.0, turned into today's: the meaning is the same.
import type { FieldPath, HeaderRuleOperations, HeaderRules } from "../model/index.ts";
import type { Reporter } from "./reporter.ts";

/** Of a rule or a destination. */
export interface LegacyHeaderFields {
  readonly headers?: HeaderRules | undefined;
  readonly appendHeaders?: Readonly<Record<string, string>> | undefined;
  readonly appendRequestHeaders?: Readonly<Record<string, string>> | undefined;
  readonly appendResponseHeaders?: Readonly<Record<string, string>> | undefined;
  readonly removeRequestHeaders?: readonly string[] | undefined;
  readonly removeResponseHeaders?: readonly string[] | undefined;
}

const replacements = {
  appendHeaders: "headers.request.add",
  appendRequestHeaders: "headers.request.add",
  appendResponseHeaders: "headers.response.add",
  removeRequestHeaders: "headers.request.remove",
  removeResponseHeaders: "headers.response.remove",
} as const;

type LegacyField = keyof typeof replacements;

/** The holder with today's `headers` only. Both spellings of one operation are joined, as Istio did while it knew both. */
export function withModernHeaders<Holder extends LegacyHeaderFields>(
  holder: Holder,
  path: FieldPath,
  reporter: Reporter,
): Omit<Holder, LegacyField> {
  const used = (Object.keys(replacements) as LegacyField[]).filter((field) => holder[field] !== undefined);
  if (used.length === 0) return holder;
  for (const field of used) {
    const message = `"${field}" is Istio 1.0's spelling`;
    reporter.warning({
      code: "deprecated-field",
      path: [...path, field],
      message,
      hint: `Write ${replacements[field]} instead.`,
    });
  }
  const { appendHeaders, appendRequestHeaders, appendResponseHeaders, ...rest } = holder;
  const { removeRequestHeaders, removeResponseHeaders, headers = {}, ...others } = rest;
  return {
    ...others,
    headers: {
      request: join(headers.request, { ...appendHeaders, ...appendRequestHeaders }, removeRequestHeaders),
      response: join(headers.response, appendResponseHeaders ?? {}, removeResponseHeaders),
    },
  } as unknown as Omit<Holder, LegacyField>;
}

function join(
  operations: HeaderRuleOperations = {},
  add: Readonly<Record<string, string>>,
  remove: readonly string[] = [],
): HeaderRuleOperations {
  return {
    ...operations,
    add: { ...add, ...operations.add },
    remove: [...remove, ...(operations.remove ?? [])],
  };
}
