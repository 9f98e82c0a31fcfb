// What a piece of a text holds: values, and problems by offset. Knows nothing of the file it stands in, so that it stays true when the piece
// moves.
import { LineCounter } from "yaml";
import type { FieldPath } from "../model/index.ts";
import { readPlainValue, type ValueProblem } from "./plain-value.ts";
import { type OffsetFinding, readYaml, type YamlTree } from "./yaml-reader.ts";

/** A document as plain data. The value is only to be used when there are no problems. */
export interface PieceValue {
  readonly value: unknown;
  /** Where it begins. */
  readonly offset: number;
  readonly problems: readonly ValueProblem[];
}

export class PieceContent {
  readonly text: string;
  /** Also those that are broken or empty. */
  readonly documentCount: number;
  readonly syntaxErrors: readonly OffsetFinding[];
  readonly values: readonly PieceValue[];
  readonly #lines = new LineCounter();
  /**
   * Node trees take many times the memory of the values, and only findings ask for them. They last for the compilation that read them (what a
   * WeakRef was made of lives to the end of the job), which is when most are asked for.
   */
  readonly #firstTrees: WeakRef<readonly YamlTree[]>;
  /** Read once more, for a later finding; who had one finding has it again in the next compilation. */
  #trees: readonly YamlTree[] | null = null;

  constructor(text: string) {
    const { trees, findings, documentCount } = readYaml(text, this.#lines);
    this.text = text;
    this.documentCount = documentCount;
    this.syntaxErrors = findings;
    this.values = trees.map(({ root }) => ({ ...readPlainValue(root), offset: root.range[0] }));
    this.#firstTrees = new WeakRef(trees);
  }

  /** The tree that `values[index]` was read from. */
  treeAt(index: number): YamlTree | null {
    const trees = this.#trees ?? this.#firstTrees.deref() ?? (this.#trees = readYaml(this.text).trees);
    return trees[index] ?? null;
  }

  /** One-based, inside the piece. */
  positionAt(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** A value inside a piece: one of its documents, or an entry of a `List`. */
export interface ValueSite {
  readonly content: PieceContent;
  readonly index: number;
  readonly path: FieldPath;
}
