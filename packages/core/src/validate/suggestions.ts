// "Did you mean …?" over many names made of parts: hosts, and gateways with their namespaces. A suggestion is a courtesy, so the
// work spent on all of them together is bounded: thousands of unknown hosts against thousands of known ones must not stall a
// validation.
import { distance } from "fastest-levenshtein";
import { slipLength } from "../parse/near-miss.ts";

/** Under a second. */
const maxComparisons = 2_000_000;

export class Suggestions {
  readonly #names: readonly { readonly name: string; readonly parts: readonly string[] }[];
  readonly #answers = new Map<string, string | undefined>();
  #comparisons = 0;

  constructor(names: Iterable<string>) {
    this.#names = Array.from(names, (name) => ({ name, parts: toParts(name) }));
  }

  /** A hint with the nearest name; undefined when none is near, or the bound is reached. */
  didYouMean(word: string): string | undefined {
    if (this.#answers.has(word)) return this.#answers.get(word);
    if (!this.#spend()) return undefined;
    const best = this.#nearest(word);
    const answer = best === null ? undefined : `Did you mean ${JSON.stringify(best)}?`;
    this.#answers.set(word, answer);
    return answer;
  }

  /** The first name with this beginning; null when there is none, or the bound is reached. */
  startingWith(beginning: string): string | null {
    if (!this.#spend()) return null;
    return this.#names.find(({ name }) => name.startsWith(beginning))?.name ?? null;
  }

  #nearest(word: string): string | null {
    const wanted = toParts(word);
    let best: string | null = null;
    let bestDistance = Infinity;
    for (const { name, parts } of this.#names) {
      const found = partDistance(wanted, parts);
      if (found >= bestDistance) continue;
      best = name;
      bestDistance = found;
    }
    return best;
  }

  #spend(): boolean {
    this.#comparisons += this.#names.length;
    return this.#comparisons <= maxComparisons;
  }
}

/**
 * How many letters differ; infinite when any part differs by more than a slip. Part by part, because in long names with a common end
 * (`.svc.cluster.local`) any two services are near each other.
 */
function partDistance(wanted: readonly string[], parts: readonly string[]): number {
  if (wanted.length !== parts.length) return Infinity;
  let sum = 0;
  for (const [index, part] of wanted.entries()) {
    const other = parts[index] ?? "";
    if (part === other) continue;
    const found = distance(part, other);
    if (found > slipLength(part)) return Infinity;
    sum += found;
  }
  return sum;
}

function toParts(name: string): readonly string[] {
  return name.split(/[./]/);
}
