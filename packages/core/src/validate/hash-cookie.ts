// The cookie of a consistent hash. The gateway writes it into answers, so what stands here must not be able to write more than a cookie.
import type { FieldPath, HashCookie } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkDurationOrZero } from "./policy-durations.ts";
import type { Reporter } from "./reporter.ts";

/** RFC 6265: a token. */
const cookieName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 6265 path-value and attributes: anything visible but `;`. */
const attributeValue = /^[\x20-\x3a\x3c-\x7e]*$/;

export function checkHashCookie(
  { name, path: cookiePath = "", ttl, attributes = [] }: HashCookie,
  path: FieldPath,
  reporter: Reporter,
): void {
  if (!cookieName.test(name)) {
    const message = `${quote(name)} cannot be the name of a cookie`;
    const hint = "Use letters, digits and hyphens.";
    reporter.error({ code: "invalid-cookie", path: [...path, "name"], message, hint });
  }
  if (!attributeValue.test(cookiePath)) {
    reporter.error({ code: "invalid-cookie", path: [...path, "path"], message: `${quote(cookiePath)} is no path` });
  }
  for (const [index, attribute] of attributes.entries()) {
    const at = [...path, "attributes", index];
    if (!cookieName.test(attribute.name)) {
      const message = `${quote(attribute.name)} cannot be an attribute of a cookie`;
      reporter.error({ code: "invalid-cookie", path: [...at, "name"], message });
    }
    if (!attributeValue.test(attribute.value ?? "")) {
      const message = `${quote(attribute.value ?? "")} cannot be the value of an attribute`;
      reporter.error({ code: "invalid-cookie", path: [...at, "value"], message, hint: "Leave out semicolons." });
    }
  }
  checkDurationOrZero(ttl, [...path, "ttl"], reporter);
}
