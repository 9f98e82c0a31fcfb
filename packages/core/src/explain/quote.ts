// Values from outside inside sentences: quoted, and with nothing in them that a terminal would obey.

/** `a"b` → `"a\"b"`. Control characters are escaped, also those that JSON leaves alone, and long values are cut. */
export function quote(value: string): string {
  const shown = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return escapeControls(JSON.stringify(shown));
}

/** Escapes C0, DEL, C1 and bidirectional controls: an escape sequence in a header must not move somebody's cursor. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
