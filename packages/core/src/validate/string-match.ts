// StringMatch: exactly one of exact, prefix and regex, the regex in RE2.
import { RE2JS } from "re2js";
import { z } from "zod";
import type { FieldPath, StringMatch } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { text } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

/** Istio's limit. */
const maxRegexLength = 1024;

export const stringMatch: z.ZodType<StringMatch> = z.strictObject({
  exact: text.optional(),
  prefix: text.optional(),
  regex: text.optional(),
});

export interface StringMatchRule {
  /**
   * The match is of a named field, a header or a query parameter: an empty matcher asks that it is there, and an empty `exact` that
   * it has no value. Elsewhere neither could ever match.
   */
  readonly isNamed: boolean;
}

export function checkStringMatch(
  match: StringMatch,
  path: FieldPath,
  { isNamed }: StringMatchRule,
  reporter: Reporter,
): void {
  const given = (["exact", "prefix", "regex"] as const).filter((kind) => match[kind] !== undefined);
  if (given.length > 1) {
    const message = `only one of ${given.join(", ")} may be set`;
    reporter.error({ code: "invalid-match", path, message, hint: "Write one entry of the match list for each." });
  } else if (given.length === 0 && !isNamed) {
    reporter.error({ code: "invalid-match", path, message: "one of exact, prefix and regex must be set" });
  }
  const empty = match.prefix === "" ? "prefix" : match.exact === "" && !isNamed ? "exact" : null;
  if (empty !== null) {
    const hint = isNamed ? "Write {} to ask only that it is there." : undefined;
    reporter.error({ code: "invalid-match", path: [...path, empty], message: "the text must not be empty", hint });
  }
  if (match.regex !== undefined) checkRegex(match.regex, [...path, "regex"], reporter);
}

/** True when the text is a regular expression that matching takes linear time with. */
export function checkRegex(regex: string, path: FieldPath, reporter: Reporter): boolean {
  const problem = regexProblem(regex);
  if (problem === null) return true;
  const hint = /\(\?[=!<]|\\[1-9]/.test(regex)
    ? "RE2 has neither look-around nor back-references, so that matching takes linear time."
    : undefined;
  const message = `${quote(regex)} is not a usable regular expression: ${problem}`;
  reporter.error({ code: "invalid-regex", path, message, hint });
  return false;
}

function regexProblem(regex: string): string | null {
  if (regex === "") return "it is empty";
  if (regex.length > maxRegexLength) return `it is longer than ${maxRegexLength} characters`;
  try {
    RE2JS.compile(regex);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : "it is malformed";
  }
}
