// Case folding for ASCII only. `toLowerCase` folds U+212A (Kelvin sign) to `k`, which would let two different names meet.

/** Lower-cases A to Z and nothing else. Returns the same string when there is nothing to do. */
export function asciiLowerCase(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) return text.replace(/[A-Z]+/g, (run) => run.toLowerCase());
  }
  return text;
}
