// The configuration is what the directory declares and what was pushed. Where both name one resource, the directory's is used: a file is
// what its owner sees, and a push that were silently stronger would make it lie.
import { parseSources } from "@sluice/core";
import { type Diagnostic, describeDocument, type SourceDocument, type SourceText } from "@sluice/core/model";
import type { OriginCode } from "./codes.ts";
import { type StoredText, toStoredDocuments } from "./stored-document.ts";

export interface Origins {
  /** Of the directory. */
  readonly texts: readonly SourceText[];
  readonly stored?: readonly StoredText[];
  /** The text of a push that is being checked; `stored` is without what it replaces. */
  readonly pushed?: SourceText | null;
  /** The namespace of documents that name none. */
  readonly defaultNamespace: string;
  /** The same for the push. */
  readonly pushNamespace?: string;
}

export interface JoinedDocuments {
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
  /** `file:line` of every resource that the directory declares. */
  readonly declared: ReadonlyMap<string, string>;
}

/** Reads all origins. Never throws. */
export function joinOrigins({ texts, stored = [], pushed = null, ...namespaces }: Origins): JoinedDocuments {
  const { defaultNamespace, pushNamespace = defaultNamespace } = namespaces;
  const directory = parseSources(texts, { defaultNamespace });
  const push = parseSources(pushed === null ? [] : [pushed], { defaultNamespace: pushNamespace });
  const declaring = new Map(directory.documents.map((document) => [describeDocument(document), document]));
  const documents = [...directory.documents];
  const diagnostics = [...directory.diagnostics, ...push.diagnostics];
  for (const document of [...push.documents, ...toStoredDocuments(stored)]) {
    const file = declaring.get(describeDocument(document));
    if (file === undefined) documents.push(document);
    else diagnostics.push(shadowed(file));
  }
  const declared = new Map([...declaring].map(([resource, document]) => [resource, placeOf(document)]));
  return { documents, diagnostics, declared };
}

function shadowed(document: SourceDocument): Diagnostic {
  const code: OriginCode = "shadowed-resource";
  const resource = describeDocument(document);
  const { file, line, column } = document.locate(["metadata", "name"]);
  return {
    severity: "warning",
    code,
    message: `${resource} is declared here and was pushed too; what ${file} says is used`,
    hint: "Remove it from the file to use what was pushed, or run `sluice delete` to remove what was pushed.",
    file,
    line,
    column,
    path: "metadata.name",
    resource,
  };
}

function placeOf(document: SourceDocument): string {
  const { file, line } = document.locate([]);
  return `${file}:${line}`;
}
