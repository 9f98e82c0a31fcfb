// Finds one query parameter the way Envoy's route matching does: the first of its name, compared and returned as sent.

const AMPERSAND = 0x26;
const EQUALS = 0x3d;

/**
 * The raw value of the first parameter called `name`, or null. `a` and `a=` both give the empty string.
 *
 * Nothing is percent-decoded, neither name nor value: Envoy compares `?v=a%20b` as `a%20b`.
 *
 * @param query without the leading `?`
 */
export function findQueryParameter(query: string, name: string): string | null {
  let start = 0;
  while (start < query.length) {
    const ampersand = query.indexOf("&", start);
    const end = ampersand < 0 ? query.length : ampersand;
    const afterName = start + name.length;
    if (afterName <= end && query.startsWith(name, start)) {
      const next = query.charCodeAt(afterName);
      if (next === EQUALS && afterName < end) return query.slice(afterName + 1, end);
      if (afterName === query.length || next === AMPERSAND) return "";
    }
    start = end + 1;
  }
  return null;
}
