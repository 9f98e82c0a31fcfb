// Flat lists of fields (name, value, ...), names in lower case.

/** True when a field of that name is in the list. */
export function hasField(fields: readonly string[], name: string): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return true;
  return false;
}
