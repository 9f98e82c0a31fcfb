// A pushed resource as a document. It was read and checked when it was pushed, so it is plain JSON here; its lines are only counted when a
// finding needs a place.
import { parseSources } from "@sluice/core";
import { describeDocument, type FieldPath, type Kind, type Place, type SourceDocument } from "@sluice/core/model";

/** A stored resource on its way to the compiler: the part of `store/resource-store.ts` that it reads. */
export interface StoredText {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** JSON of the whole document. */
  readonly text: string;
}

export class StoredDocument implements SourceDocument {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** What it was made from. */
  readonly text: string;
  #located: SourceDocument | null = null;

  constructor({ kind, namespace, name, text }: StoredText) {
    this.kind = kind;
    this.namespace = namespace;
    this.name = name;
    this.text = text;
    this.value = JSON.parse(text) as Readonly<Record<string, unknown>>;
    this.apiVersion = String(this.value["apiVersion"]);
  }

  /** In the text that `sluice get -o json` prints. */
  locate(path: FieldPath): Place {
    const { kind, namespace, name } = this;
    const file = `stored/${kind}/${namespace}/${name}`;
    this.#located ??=
      parseSources([{ file, text: JSON.stringify(this.value, null, 2) }], { defaultNamespace: namespace })
        .documents[0] ?? null;
    return this.#located?.locate(path) ?? { file, line: 1, column: 1 };
  }
}

/**
 * The documents of the last call, by resource. A push changes one of thousands; the others keep their objects, so that they are parsed once, and
 * whoever remembers something of a document may do so by its identity.
 */
let known: ReadonlyMap<string, StoredDocument> = new Map();

/** The documents in an order of their own: the same whatever order they were pushed in. */
export function toStoredDocuments(stored: readonly StoredText[]): readonly SourceDocument[] {
  const entries = stored.map((resource): [string, StoredDocument] => {
    const key = describeDocument(resource);
    const before = known.get(key);
    return [key, before?.text === resource.text ? before : new StoredDocument(resource)];
  });
  const documents = entries.toSorted(([left], [right]) => (left < right ? -1 : 1));
  known = new Map(documents);
  return documents.map(([, document]) => document);
}
