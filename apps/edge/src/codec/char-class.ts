// The two character classes that HTTP/1.1 framing rests on, as tables indexed by byte (RFC 9110 sections 5.5 and 5.6.2).

function tableOf(isMember: (code: number) => boolean): Uint8Array {
  const table = new Uint8Array(256);
  for (let code = 0; code < 256; code++) table[code] = isMember(code) ? 1 : 0;
  return table;
}

/** `tchar`: what header names and chunk extension names are made of. */
export const isTokenCode = tableOf(
  (code) => code > 0x20 && code < 0x7f && !'"(),/:;<=>?@[\\]{}'.includes(String.fromCharCode(code)),
);

/**
 * Field values and reason phrases: HTAB, SP, VCHAR and obs-text. No CR, LF or NUL: a lone one of these is a line end to some
 * reader behind us, which is how one response becomes two.
 */
export const isTextCode = tableOf((code) => code === 0x09 || (code >= 0x20 && code !== 0x7f));

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const ZERO = 0x30;
export const NINE = 0x39;
