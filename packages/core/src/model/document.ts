// A document as read from a file: plain data with a way back to the line and column of every field.
import type { Place } from "./diagnostic.ts";

/** Steps from the document's root to a field: `["spec", "http", 0, "route"]`. */
export type FieldPath = readonly (string | number)[];

/** The kinds Sluice reads (CONTRACT, "Configuration it reads"), and Pods, whose labels a DestinationRule's subsets select by. */
export type Kind =
  | "Gateway"
  | "VirtualService"
  | "DestinationRule"
  | "ServiceEntry"
  | "WorkloadEntry"
  | "Secret"
  | "ConfigMap"
  | "Service"
  | "Endpoints"
  | "EndpointSlice"
  | "Pod";

/** One Kubernetes-style document of a known kind, not yet checked against its schema. */
export interface SourceDocument {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly name: string;
  /** The document's own namespace, or the default one where it has none. */
  readonly namespace: string;
  /** The whole document as plain data (`metadata`, `spec`, `data`, ...). */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where a field stands; the nearest enclosing field that exists when it is absent. */
  locate(path: FieldPath): Place;
}

/** A text to be read: a file, standard input, or a body sent to the API. */
export interface SourceText {
  /** The name that diagnostics carry. */
  readonly file: string;
  readonly text: string;
}

/** `Kind namespace/name`, the way diagnostics name a resource. */
export function describeDocument(document: Pick<SourceDocument, "kind" | "namespace" | "name">): string {
  return `${document.kind} ${document.namespace}/${document.name}`;
}

/** `["spec", "http", 0]` → `spec.http[0]`. Keys that are not plain words are quoted: `metadata.annotations["a.b/c"]`. */
export function formatPath(path: FieldPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
