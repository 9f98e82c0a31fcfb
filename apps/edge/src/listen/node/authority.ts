// What may stand in Host and `:authority`.

/**
 * True for `host`, `host:port`, `[v6]` and `[v6]:port` with hosts of letters, digits, `.`, `-` and `_`. Everything else is refused:
 * user names, commas and paths in a Host are what one hop reads one way and the next another.
 */
export function isAuthority(authority: string): boolean {
  const hostEnd = authority.startsWith("[") ? endOfAddress(authority) : endOfName(authority);
  if (hostEnd <= 0) return false;
  if (hostEnd === authority.length) return true;
  return authority.charCodeAt(hostEnd) === 58 && isPort(authority, hostEnd + 1);
}

function endOfName(authority: string): number {
  let at = 0;
  while (at < authority.length && isNameCharacter(authority.charCodeAt(at))) at++;
  return at;
}

/** Past the closing bracket, or -1. */
function endOfAddress(authority: string): number {
  let at = 1;
  while (at < authority.length && isAddressCharacter(authority.charCodeAt(at))) at++;
  return at > 2 && authority.charCodeAt(at) === 93 ? at + 1 : -1;
}

function isPort(authority: string, from: number): boolean {
  for (let i = from; i < authority.length; i++) {
    if (!isDigit(authority.charCodeAt(i))) return false;
  }
  return authority.length - from >= 1 && authority.length - from <= 5;
}

function isNameCharacter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 97 && lower <= 122) || isDigit(code) || code === 45 || code === 46 || code === 95;
}

function isAddressCharacter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 97 && lower <= 102) || isDigit(code) || code === 46 || code === 58;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
