// Texts of messages that were read a while ago, to be held once instead of with every route that says them.

/** Longer texts (certificates, private keys) are not remembered. */
const maxLength = 64;
/** Then all are forgotten: cheaper than an order of use, and well below a megabyte. */
const maxTexts = 4096;

const known = new Map<string, string>();

/** An equal text, if possible one that is there already. */
export function knownText(text: string): string {
  if (text.length > maxLength) return text;
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size >= maxTexts) known.clear();
  known.set(text, text);
  return text;
}
