// What is read of documents without compiling them: a push before it is checked, and the directory's resources for those who list them.
import { parseSources } from "@sluice/core";
import { type Diagnostic, describeDocument, type Kind, type SourceDocument, type SourceText } from "@sluice/core/model";
import { isRedacted, redactSecrets } from "./redaction.ts";

export interface DocumentsJob {
  readonly texts: readonly SourceText[];
  readonly defaultNamespace: string;
}

/** A resource of a push. */
export interface PushedResource {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** Compact JSON, as it is stored: with `apiVersion` and namespace, without `resourceVersion`. */
  readonly text: string;
  /** `metadata.resourceVersion` as it was written; null where it was not. */
  readonly resourceVersion: string | null;
  /** It holds `[redacted]` where a secret should be. */
  readonly isRedacted: boolean;
}

export interface PushRead {
  readonly resources: readonly PushedResource[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the resources of a push. */
export function readPush({ texts, defaultNamespace }: DocumentsJob): PushRead {
  const { documents, diagnostics } = parseSources(texts, { defaultNamespace });
  return { resources: documents.map(toPushed), diagnostics };
}

/** A resource of the directory, fit to be seen. */
export interface DeclaredResource {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** JSON. */
  readonly text: string;
}

/** Reads the directory's resources, by `Kind namespace/name`. */
export function readDeclared({ texts, defaultNamespace }: DocumentsJob): ReadonlyMap<string, DeclaredResource> {
  const { documents } = parseSources(texts, { defaultNamespace });
  return new Map(
    documents.map((document) => {
      const { kind, namespace, name } = document;
      const text = JSON.stringify(redactSecrets(toStoredValue(document).value));
      return [describeDocument(document), { kind, namespace, name, text }];
    }),
  );
}

function toPushed(document: SourceDocument): PushedResource {
  const { kind, namespace, name } = document;
  const { value, resourceVersion } = toStoredValue(document);
  return { kind, namespace, name, text: JSON.stringify(value), resourceVersion, isRedacted: isRedacted(value) };
}

function toStoredValue({ kind, apiVersion, name, namespace, value }: SourceDocument) {
  const { apiVersion: _apiVersion, kind: _kind, metadata: written, ...rest } = value;
  const metadata = (typeof written === "object" && written !== null ? written : {}) as Record<string, unknown>;
  const { resourceVersion, name: _name, namespace: _namespace, ...others } = metadata;
  return {
    value: { apiVersion, kind, metadata: { name, namespace, ...others }, ...rest },
    resourceVersion: isScalar(resourceVersion) ? String(resourceVersion) : null,
  };
}

/** `resourceVersion: 12` without quotes is what people write. */
function isScalar(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}
