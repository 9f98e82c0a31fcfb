// The static table of HPACK (RFC 7541, appendix A): fields that need no more than an index.

/** Names and values, flat; entry 1 is at 0. */
// prettier-ignore
const entries = [
  ":authority", "", ":method", "GET", ":method", "POST", ":path", "/", ":path", "/index.html", ":scheme", "http", ":scheme", "https",
  ":status", "200", ":status", "204", ":status", "206", ":status", "304", ":status", "400", ":status", "404", ":status", "500",
  "accept-charset", "", "accept-encoding", "gzip, deflate", "accept-language", "", "accept-ranges", "", "accept", "",
  "access-control-allow-origin", "", "age", "", "allow", "", "authorization", "", "cache-control", "", "content-disposition", "",
  "content-encoding", "", "content-language", "", "content-length", "", "content-location", "", "content-range", "",
  "content-type", "", "cookie", "", "date", "", "etag", "", "expect", "", "expires", "", "from", "", "host", "", "if-match", "",
  "if-modified-since", "", "if-none-match", "", "if-range", "", "if-unmodified-since", "", "last-modified", "", "link", "",
  "location", "", "max-forwards", "", "proxy-authenticate", "", "proxy-authorization", "", "range", "", "referer", "", "refresh", "",
  "retry-after", "", "server", "", "set-cookie", "", "strict-transport-security", "", "transfer-encoding", "", "user-agent", "",
  "vary", "", "via", "", "www-authenticate", "",
] as const;

export const staticTableLength = entries.length / 2;

/** @param index from 1 to `staticTableLength` */
export function staticName(index: number): string {
  return entries[(index - 1) * 2] ?? "";
}

export function staticValue(index: number): string {
  return entries[(index - 1) * 2 + 1] ?? "";
}

const byName = new Map<string, number>();
const byField = new Map<string, Map<string, number>>();
for (let index = staticTableLength; index >= 1; index--) {
  const name = staticName(index);
  byName.set(name, index);
  byField.set(name, (byField.get(name) ?? new Map<string, number>()).set(staticValue(index), index));
}

/** The first index with this name, 0 for none. */
export function findStaticName(name: string): number {
  return byName.get(name) ?? 0;
}

/** The index with this name and value, 0 for none. An entry without value stands for no field. */
export function findStaticField(name: string, value: string): number {
  return value === "" ? 0 : (byField.get(name)?.get(value) ?? 0);
}
