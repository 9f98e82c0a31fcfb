// "Did you mean …?": the closest of the words that would have been right.
import { distance } from "fastest-levenshtein";

/** Longer texts are not compared: no name is that long, and the comparison is quadratic. */
const longestWord = 253;

/** The candidate nearest to `word`, letter case aside, or null when none is close enough to be a slip. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > longestWord) return null;
  const lowered = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = slipLength(word) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const found = distance(lowered, candidate.toLowerCase());
    if (found < bestDistance) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

/** A hint with the nearest candidate; undefined when there is none. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const best = nearest(word, candidates);
  return best === null ? undefined : `Did you mean ${JSON.stringify(best)}?`;
}

/** How many letters may differ: a third of the word, at most four; two from five letters on, as swapped letters count twice. */
export function slipLength(word: string): number {
  return Math.min(4, Math.max(word.length < 5 ? 1 : 2, Math.floor(word.length / 3)));
}
