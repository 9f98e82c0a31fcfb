// Which server names a client may ask for.

const maxNameBytes = 253;

/**
 * True for a name made of non-empty labels of letters, digits, `-` and `_`, with at most one dot at its end. Everything else is
 * refused rather than cleaned: a NUL or a stray byte reads as one name here and as another elsewhere.
 */
export function isServerName(name: string): boolean {
  const length = name.endsWith(".") ? name.length - 1 : name.length;
  if (length === 0 || length > maxNameBytes) return false;
  let labelLength = 0;
  for (let i = 0; i < length; i++) {
    const code = name.charCodeAt(i);
    if (code === 46) {
      if (labelLength === 0) return false;
      labelLength = 0;
    } else if (isLabelCharacter(code)) labelLength++;
    else return false;
  }
  return labelLength > 0;
}

function isLabelCharacter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 97 && lower <= 122) || (code >= 48 && code <= 57) || code === 45 || code === 95;
}
