// The hash that consistent hashing looks a request's endpoint up by.
import type { HashKey } from "@sluice/core/model";
import { affinityCookie } from "./affinity-cookie.ts";
import type { Random } from "./balanced.ts";
import type { BalancedRequest } from "./balanced-request.ts";
import { type Hash64, xxHash64 } from "./xx-hash-64.ts";

/** Writes the hash of a request into `target`. One that lacks the key gets a random one, and so any endpoint. */
export function hashRequest(request: BalancedRequest | null, key: HashKey, random: Random, target: Hash64): void {
  const value = request === null ? null : keyOf(request, key);
  if (value !== null) {
    xxHash64(value, target);
  } else {
    target.high = Math.floor(random() * 2 ** 32) | 0;
    target.low = Math.floor(random() * 2 ** 32) | 0;
  }
}

function keyOf(request: BalancedRequest, key: HashKey): string | null {
  switch (key.kind) {
    case "header":
      return request.header(key.name);
    case "cookie":
      return affinityCookie(request, key);
    case "source-ip":
      return request.downstream.remoteAddress;
    case "query":
      return queryValue(request.query, key.name);
  }
}

/** The first value of a parameter, as it was sent; null when it is absent. */
export function queryValue(query: string, name: string): string | null {
  for (let start = 0; start <= query.length;) {
    const next = query.indexOf("&", start);
    const end = next < 0 ? query.length : next;
    if (query.startsWith(name, start)) {
      const at = start + name.length;
      if (at === end) return "";
      if (at < end && query[at] === "=") return query.slice(at + 1, end);
    }
    start = end + 1;
  }
  return null;
}
