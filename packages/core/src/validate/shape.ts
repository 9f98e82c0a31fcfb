// Checks a document against its schema. The usual case is one call of zod; only a refusal takes the long way round.
import type { z } from "zod";
import type { Resource, SourceDocument } from "../model/index.ts";
import { isRecord } from "../parse/finding.ts";
import type { Metadata } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import type { SupportTable } from "./support-table.ts";
import { tidy } from "./tidy.ts";
import { translateIssue } from "./translate-issue.ts";

/** A kind's schema over the whole document, and what of the kind is not acted on. */
export interface KindSchema<Shape> {
  readonly schema: z.ZodType<Shape>;
  readonly support: SupportTable;
}

/**
 * Returns the document in its kind's shape, or null when a type or a value is wrong. May return a shape although errors were
 * reported (unknown fields, which are left out), so that the rules can add what they find.
 */
export function readShape<Shape>({ schema, support }: KindSchema<Shape>, reporter: Reporter): Shape | null {
  const first = schema.safeParse(reporter.document.value);
  if (first.success) return first.data;
  const value = tidy(schema, reporter.document.value, support, reporter);
  const second = schema.safeParse(value);
  if (second.success) return second.data;
  const { issues } = second.error;
  for (const issue of issues) reporter.error(translateIssue(issue, value, support));
  // A label that is no text says nothing about the rest: the rules for it need not wait. The error keeps the document from being used.
  if (!isRecord(value) || issues.some(({ path }) => path[0] !== "metadata")) return null;
  return schema.safeParse({ ...value, metadata: {} }).data ?? null;
}

/** The resource of a document that has no errors. */
export function toResource<Spec>(document: SourceDocument, metadata: Metadata, spec: Spec): Resource<Spec> {
  return {
    document,
    namespace: document.namespace,
    name: document.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    creationTimestamp: metadata.creationTimestamp ?? null,
    spec,
  };
}
