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
 * The stored resources as documents. A push changes one of thousands; the others keep their objects, so that they are parsed once, and
 * whoever remembers something of a document may do so by its identity.
 */
export class StoredDocuments {
  #last: readonly StoredText[] | null = null;
  #byResource: ReadonlyMap<string, StoredDocument> = new Map();
  #documents: readonly StoredDocument[] = [];

  /** In an order of their own: the same whatever order they were pushed in. */
  read(stored: readonly StoredText[]): readonly SourceDocument[] {
    if (stored === this.#last) return this.#documents;
    const entries = stored.map((resource): [string, StoredDocument] => {
      const key = describeDocument(resource);
      const before = this.#byResource.get(key);
      return [key, before?.text === resource.text ? before : new StoredDocument(resource)];
    });
    const sorted = entries.toSorted(([left], [right]) => (left < right ? -1 : 1));
    this.#last = stored;
    this.#byResource = new Map(sorted);
    this.#documents = sorted.map(([, document]) => document);
    return this.#documents;
  }
}
