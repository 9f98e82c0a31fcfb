// Labels as Kubernetes allows them, in selectors and on endpoints. One that no object could carry would select nothing, silently.
import type { FieldPath } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isSubdomainName } from "../parse/identify.ts";
import type { Reporter } from "./reporter.ts";

const namePart = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** Checks keys (`name`, `prefix/name`) and values. */
export function checkLabels(labels: Readonly<Record<string, string>>, path: FieldPath, reporter: Reporter): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!isLabelKey(key)) {
      const message = `${quote(key)} cannot be the key of a label`;
      reporter.error({ code: "invalid-label", path: [...path, key], message, hint: labelHint });
    } else if (value !== "" && !namePart.test(value)) {
      const message = `${quote(value)} cannot be the value of a label`;
      reporter.error({ code: "invalid-label", path: [...path, key], message, hint: labelHint });
    }
  }
}

const labelHint = "Use letters, digits and inner hyphens, underscores and dots, at most 63.";

function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  return namePart.test(key.slice(slash + 1)) && (slash < 0 || isSubdomainName(key.slice(0, slash)));
}
