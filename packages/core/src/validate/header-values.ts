// Texts that become parts of a message's head. A line break in one would end the header and begin another.
import { type FieldPath, isFormatProblem, parseHeaderFormat, plainOperators } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { didYouMean } from "../parse/near-miss.ts";
import type { Reporter } from "./reporter.ts";

/** RFC 9110, section 5.5: no control characters but tab. */
// oxlint-disable-next-line no-control-regex
const unfit = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Longer ones would not fit into the head that upstreams and clients accept. */
const maxValueLength = 16_384;

/** True when the text may stand in a head. */
export function checkFieldText(text: string | undefined, path: FieldPath, reporter: Reporter): boolean {
  if (text === undefined) return true;
  if (unfit.test(text)) {
    const message = `${quote(text)} holds a line break or another control character`;
    reporter.error({ code: "invalid-header-value", path, message });
    return false;
  }
  if (text.length <= maxValueLength) return true;
  reporter.error({
    code: "invalid-header-value",
    path,
    message: `the text is longer than ${maxValueLength} characters`,
  });
  return false;
}

/** A value of `headers.*.set` and `add`, with Envoy's command operators. */
export function checkHeaderValue(value: string, path: FieldPath, reporter: Reporter): void {
  if (!checkFieldText(value, path, reporter)) return;
  const problem = parseHeaderFormat(value);
  if (!isFormatProblem(problem)) return;
  switch (problem.kind) {
    case "open": {
      const message = `${quote(value)}: the % at character ${problem.at + 1} begins an operator that does not end`;
      return reporter.error({ code: "invalid-header-value", path, message, hint: "Write %% for a percent sign." });
    }
    case "malformed": {
      const message = `${quote(value)}: ${quote(`%${problem.text}%`)} is no operator`;
      const hint = "Write %% for a percent sign, %REQ(name)% for a header of the request.";
      return reporter.error({ code: "invalid-header-value", path, message, hint });
    }
    case "unknown-operator": {
      const known = [...plainOperators, "REQ(name)", "RESP(name)"];
      const hint = didYouMean(problem.name, known) ?? `Known here: ${known.join(", ")}.`;
      const message = `there is no operator ${quote(problem.name)}`;
      return reporter.error({ code: "unknown-operator", path, message, hint });
    }
  }
}
