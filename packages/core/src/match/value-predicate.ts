// A value matcher ready to be asked: exact, prefix, presence or RE2.
import { RE2JS } from "re2js";

import type { ValueMatch } from "../model/index.ts";

/**
 * A regular expression from configuration: RE2 (linear time), always a full match, compiled at its first use.
 * V8's RegExp backtracks: one crafted header would hold a worker for minutes.
 */
export class LazyPattern {
  readonly #source: string;
  /** Undefined until used; null when the source is no RE2 expression, which matches nothing. */
  #compiled: RE2JS | null | undefined;

  constructor(source: string) {
    this.#source = source;
    this.#compiled = undefined;
  }

  matches(text: string): boolean {
    const compiled = this.#compiled === undefined ? (this.#compiled = compile(this.#source)) : this.#compiled;
    return compiled !== null && compiled.testExact(text);
  }

  /** False when the source is no RE2 expression. The compiler reports those, so this is the second lock. */
  get isValid(): boolean {
    if (this.#compiled === undefined) this.#compiled = compile(this.#source);
    return this.#compiled !== null;
  }
}

function compile(source: string): RE2JS | null {
  try {
    return RE2JS.compile(source);
  } catch {
    return null;
  }
}

/** A compiled `ValueMatch`. */
export class ValuePredicate {
  readonly kind: ValueMatch["kind"];
  readonly #value: string;
  readonly #pattern: LazyPattern | null;

  constructor(match: ValueMatch) {
    this.kind = match.kind;
    this.#value = match.value;
    this.#pattern = match.kind === "regex" ? new LazyPattern(match.value) : null;
  }

  /** Whether a value that is there satisfies the match. */
  accepts(value: string): boolean {
    switch (this.kind) {
      case "exact":
        return value === this.#value;
      case "prefix":
        return value.startsWith(this.#value);
      case "regex":
        return this.#pattern !== null && this.#pattern.matches(value);
      case "present":
        return true;
    }
  }

  /** False for a regular expression that RE2 refuses: a predicate built on it holds for nothing, inverted or not. */
  get isUsable(): boolean {
    return this.#pattern === null || this.#pattern.isValid;
  }
}
