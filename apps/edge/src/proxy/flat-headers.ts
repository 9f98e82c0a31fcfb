// Headers of responses as flat lists (name, value, ...), names in lower case.

export function hasHeader(headers: readonly string[], name: string): boolean {
  return headerOf(headers, name) !== null;
}

/** The first value; null when absent. */
export function headerOf(headers: readonly string[], name: string): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) return headers[i + 1] ?? "";
  }
  return null;
}

/** Replaces every field of the name by one. */
export function setHeader(headers: string[], name: string, value: string): void {
  removeHeader(headers, name);
  headers.push(name, value);
}

/** Puts fields in place of those of the same names. */
export function overrideHeaders(headers: string[], overrides: readonly string[]): void {
  for (let i = 0; i < overrides.length; i += 2) setHeader(headers, overrides[i] ?? "", overrides[i + 1] ?? "");
}

export function removeHeader(headers: string[], name: string): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) continue;
    headers[kept] = headers[i] ?? "";
    headers[kept + 1] = headers[i + 1] ?? "";
    kept += 2;
  }
  headers.length = kept;
}
