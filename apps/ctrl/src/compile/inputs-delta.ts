// What the compile thread is told: not the texts of ten thousand resources for a change of one, but what is different from the job before.
import { createHash } from "node:crypto";
import { describeDocument, type SourceText } from "@sluice/core/model";
import type { StoredText } from "./stored-document.ts";

/** The texts of one compilation. */
export interface Inputs {
  readonly texts: readonly SourceText[];
  readonly stored: readonly StoredText[];
}

/** Inputs that were sent under a number. */
export interface SentInputs extends Inputs {
  readonly id: number;
}

export interface InputsDelta {
  readonly id: number;
  /** The inputs that this changes; null: none, everything is in here. */
  readonly base: number | null;
  /** The names of all files in order; null: as before. */
  readonly files: readonly string[] | null;
  readonly changedTexts: readonly SourceText[];
  readonly changedStored: readonly StoredText[];
  /** `Kind namespace/name`. */
  readonly removedStored: readonly string[];
}

const nothing: Inputs = { texts: [], stored: [] };

/** What leads from the inputs that the thread has to the next. */
export function diffInputs(base: SentInputs | null, next: SentInputs): InputsDelta {
  const former = base ?? nothing;
  const isSameOrder =
    base !== null &&
    former.texts.length === next.texts.length &&
    next.texts.every(({ file }, index) => file === former.texts[index]?.file);
  const formerTexts = new Map(former.texts.map(({ file, text }) => [file, text]));
  const formerStored = new Map(former.stored.map((resource) => [describeDocument(resource), resource.text]));
  const changedStored: StoredText[] = [];
  for (const { kind, namespace, name, text } of next.stored) {
    const key = describeDocument({ kind, namespace, name });
    if (formerStored.get(key) !== text) changedStored.push({ kind, namespace, name, text });
    formerStored.delete(key);
  }
  return {
    id: next.id,
    base: base?.id ?? null,
    files: isSameOrder ? null : next.texts.map(({ file }) => file),
    changedTexts: next.texts.filter(({ file, text }) => formerTexts.get(file) !== text),
    changedStored,
    removedStored: [...formerStored.keys()],
  };
}

interface Held<Text> {
  readonly value: Text;
  readonly digest: string;
}

/** The thread's side: inputs put together from deltas. Arrays in which nothing changed stay the same objects. */
export class HeldInputs {
  #id: number | null = null;
  #files: readonly string[] = [];
  #texts = new Map<string, Held<SourceText>>();
  readonly #stored = new Map<string, Held<StoredText>>();
  #inputs: Inputs = nothing;

  /** False when the delta starts from inputs that this thread never had: one that was here before has died. */
  apply({ id, base, files, changedTexts, changedStored, removedStored }: InputsDelta): boolean {
    if (base !== null && base !== this.#id) return false;
    if (base === null) this.#forget();
    this.#id = id;
    for (const source of changedTexts) this.#texts.set(source.file, hold(source));
    for (const resource of changedStored) this.#stored.set(describeDocument(resource), hold(resource));
    for (const key of removedStored) this.#stored.delete(key);
    if (files !== null) this.#setFiles(files);
    if (files !== null || changedTexts.length > 0) {
      this.#inputs = { ...this.#inputs, texts: this.#files.flatMap((file) => this.#texts.get(file)?.value ?? []) };
    }
    if (changedStored.length > 0 || removedStored.length > 0) {
      this.#inputs = { ...this.#inputs, stored: [...this.#stored.values()].map(({ value }) => value) };
    }
    return true;
  }

  get inputs(): Inputs {
    return this.#inputs;
  }

  /** Changes with every text, whichever way it came here. */
  get digest(): string {
    const hash = createHash("sha256");
    for (const file of this.#files) hash.update(`${JSON.stringify(file)} ${this.#texts.get(file)?.digest}\n`);
    const stored = [...this.#stored].map(([key, { digest }]) => `${key} ${digest}`);
    return hash.update(stored.toSorted().join("\n")).digest("hex");
  }

  #setFiles(files: readonly string[]): void {
    const listed = new Set(files);
    this.#files = files;
    this.#texts = new Map([...this.#texts].filter(([file]) => listed.has(file)));
  }

  #forget(): void {
    this.#files = [];
    this.#texts.clear();
    this.#stored.clear();
    this.#inputs = nothing;
  }
}

function hold<Text extends { readonly text: string }>(value: Text): Held<Text> {
  return { value, digest: createHash("sha256").update(value.text).digest("hex") };
}
