// The path of a request as routing compares it and as the upstream receives it: Envoy's `normalize_path` (RFC 3986, section 6).
// A path that two readers could understand differently is either made unambiguous here or refused.

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const BACKSLASH = 0x5c;

/** What to do with a byte that stands in a path unescaped. */
const KEEP = 0;
const REWRITE = 1;
const REFUSE = 2;

const byteRule = buildByteRules();

/**
 * Returns the normalised path, or null when the request must be refused with 400.
 *
 * Dot segments are resolved (also written as `%2e`; climbing above the root stays at the root), `\` becomes `/`, escaped
 * unreserved characters are unescaped (`/%61` is `/a`), characters that a URI may not hold are escaped (`"` is `%22`). Slashes are
 * not merged and escapes keep their letter case: `%2F`, `%2f` and `//` pass as sent.
 *
 * Refused: a path that does not start with `/` (but `*`, for OPTIONS), control characters, space, `#`, `?`, `%00`, and a malformed
 * escape that would become a well-formed one by unescaping its neighbours (`/%%36%31` is `/%61` once and `/a` twice).
 *
 * @param path without query, one character a byte (latin1), as HTTP parsers deliver it. Returned as is when nothing is to be done.
 */
export function normalizePath(path: string): string | null {
  if (path.charCodeAt(0) !== SLASH) return path === "*" ? path : null;
  let isClean = true;
  for (let i = 1; i < path.length; i++) {
    const code = path.charCodeAt(i);
    const rule = code > 0xff ? REFUSE : byteRule[code];
    if (rule === REFUSE) return null;
    if (rule === REWRITE || (code === DOT && path.charCodeAt(i - 1) === SLASH)) isClean = false;
  }
  return isClean ? path : rewritePath(path);
}

function rewritePath(path: string): string | null {
  const unescaped = normalizeEscapes(path);
  // Normalising must be idempotent, or the upstream reads another path than the one that was routed.
  if (unescaped === null || normalizeEscapes(unescaped) !== unescaped) return null;
  return removeDotSegments(unescaped);
}

/** One pass over the escapes. Null at an escaped NUL. */
function normalizeEscapes(path: string): string | null {
  let result = "";
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === PERCENT) {
      const value = escapedByte(path, i);
      if (value === 0) return null;
      if (value < 0) result += "%";
      else {
        result += isUnreserved(value) ? String.fromCharCode(value) : path.slice(i, i + 3);
        i += 2;
      }
    } else if (code === BACKSLASH) result += "/";
    else result += byteRule[code] === KEEP ? path[i] : `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}

/** RFC 3986, section 5.2.4, with empty segments kept: `/a//../b` is `/a/b`. */
function removeDotSegments(path: string): string {
  const segments = path.split("/");
  const kept: string[] = [];
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] ?? "";
    const isLast = i === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (isLast) kept.push("");
  }
  return `/${kept.join("/")}`;
}

/** The byte that `%XX` at `index` stands for; -1 when it is no well-formed escape. */
function escapedByte(text: string, index: number): number {
  const high = hexDigit(text.charCodeAt(index + 1));
  const low = hexDigit(text.charCodeAt(index + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** RFC 3986, section 2.3. */
function isUnreserved(code: number): boolean {
  const lower = code | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return true;
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === DOT || code === 0x5f || code === 0x7e;
}

function buildByteRules(): Uint8Array {
  const rules = new Uint8Array(256).fill(KEEP);
  rules.fill(REFUSE, 0x00, 0x21);
  rules.fill(REWRITE, 0x80, 0x100);
  for (const character of '%\\"<>^`{|}') rules[character.charCodeAt(0)] = REWRITE;
  for (const character of "#?\x7f") rules[character.charCodeAt(0)] = REFUSE;
  return rules;
}

/** True when the query can stand in a request line: no control character, space or fragment. */
export function isPlainQuery(query: string): boolean {
  for (let i = 0; i < query.length; i++) {
    const code = query.charCodeAt(i);
    if (code <= 32 || code === 127 || code === 35 || code > 255) return false;
  }
  return true;
}
