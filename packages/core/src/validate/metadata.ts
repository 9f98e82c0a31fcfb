// The rules for `metadata` that a schema cannot say.
import { quote } from "../parse/finding.ts";
import type { Metadata } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Resources are ordered by their creation time, so one that is not a time would order at random. */
export function checkMetadata({ creationTimestamp }: Metadata, reporter: Reporter): void {
  if (creationTimestamp === undefined) return;
  if (rfc3339.test(creationTimestamp) && !Number.isNaN(Date.parse(creationTimestamp))) return;
  reporter.error({
    code: "invalid-timestamp",
    path: ["metadata", "creationTimestamp"],
    message: `${quote(creationTimestamp)} is not a time`,
    hint: 'Write it as "2024-01-31T12:00:00Z", or remove it.',
  });
}
