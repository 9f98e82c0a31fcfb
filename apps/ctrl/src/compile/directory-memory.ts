// The documents of the directory. A push leaves all of them as they are, a change of one file all others.
import { type ParseMemory, parseSources } from "@sluice/core";
import { type Diagnostic, describeDocument, type SourceDocument, type SourceText } from "@sluice/core/model";

export interface DirectoryDocuments {
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
  /** By `Kind namespace/name`. */
  readonly byResource: ReadonlyMap<string, SourceDocument>;
  /** `file:line` of every resource. */
  readonly declared: ReadonlyMap<string, string>;
}

interface Last {
  readonly texts: readonly SourceText[];
  readonly defaultNamespace: string;
  readonly result: DirectoryDocuments;
}

export class DirectoryMemory {
  readonly #memory: ParseMemory;
  #last: Last | null = null;

  constructor(memory: ParseMemory) {
    this.#memory = memory;
  }

  /** @param texts the same array as last time where nothing changed */
  read(texts: readonly SourceText[], defaultNamespace: string): DirectoryDocuments {
    const last = this.#last;
    if (last !== null && last.texts === texts && last.defaultNamespace === defaultNamespace) return last.result;
    const { documents, diagnostics } = parseSources(texts, { defaultNamespace, memory: this.#memory });
    const byResource = new Map(documents.map((document) => [describeDocument(document), document]));
    const declared = new Map([...byResource].map(([resource, document]) => [resource, placeOf(document)]));
    const result = { documents, diagnostics, byResource, declared };
    this.#last = { texts, defaultNamespace, result };
    return result;
  }
}

function placeOf(document: SourceDocument): string {
  const { file, line } = document.locate([]);
  return `${file}:${line}`;
}
