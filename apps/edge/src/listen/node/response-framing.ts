// How long a response says it is, by the rules both versions of HTTP share (RFC 9110, sections 8.6, 9.3.2 and 15).

/** True when the response has no body whatever its headers say. */
export function isBodiless(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/**
 * The value of Content-Length, or -1 for none. Where there is no body the length is that of the body there would have been, and an
 * unknown one is left out.
 */
export function announcedLength(method: string, status: number, bodyLength: number): number {
  if (status === 204) return -1;
  return bodyLength === 0 && isBodiless(method, status) ? -1 : bodyLength;
}

/** True for an announcement of trailers that this framing cannot carry. */
export function isDroppedFromResponse(name: string, carriesTrailers: boolean): boolean {
  return name === "trailer" && !carriesTrailers;
}
