// Host names as Istio compares them (istio-semantics 2.4): exact names and names with a leading wildcard.

/** `*`, `*.example.com`. */
export function isWildcardHost(host: string): boolean {
  return host.startsWith("*");
}

/**
 * True when `host` covers every name that `other` covers. The text after `*` is compared as a suffix: `*.foo.com` covers
 * `a.b.foo.com`, not `foo.com`; `*` covers everything.
 */
export function hostCovers(host: string, other: string): boolean {
  if (!isWildcardHost(host)) return host === other;
  const suffix = host.slice(1);
  if (!isWildcardHost(other)) return suffix === "" || (other.length > suffix.length && other.endsWith(suffix));
  return other.slice(1).endsWith(suffix);
}

/** The narrower of two hosts when one covers the other, else null. */
export function narrowerHost(host: string, other: string): string | null {
  if (hostCovers(host, other)) return other;
  if (hostCovers(other, host)) return host;
  return null;
}

/**
 * Host of a request as routing compares it: lower case, without port and without one trailing dot.
 * `A.Example:8443` → `a.example`, `[::1]:80` → `[::1]`.
 */
export function normalizeAuthority(authority: string): string {
  let end = authority.length;
  let upperCase = authority.length;
  // In one walk: `lastIndexOf` and the like leave V8's compiled code, which costs more than a name is long.
  for (let i = 0; i < authority.length; i++) {
    const code = authority.charCodeAt(i);
    if (code === colon) end = i;
    else if (code === closingBracket) end = authority.length;
    else if (code >= 65 && code <= 90 && i < upperCase) upperCase = i;
  }
  if (end > 1 && authority.charCodeAt(end - 1) === dot) end--;
  const host = end === authority.length ? authority : authority.slice(0, end);
  return upperCase < end ? host.toLowerCase() : host;
}

const dot = 46;
const colon = 58;
const closingBracket = 93;

/**
 * The full name of a host in a route or of a virtual service: a name without a dot belongs to the Kubernetes Service of that name
 * in `namespace` (istio-semantics 1.2): `cart` in `shop` → `cart.shop.svc.cluster.local`. Everything else stays as written.
 */
export function resolveShortName(host: string, namespace: string): string {
  const isShort = host !== "" && !host.includes(".") && !host.includes(":") && !isWildcardHost(host);
  return isShort ? `${host}.${namespace}.svc.cluster.local` : host;
}

/**
 * `namespace/name` of a gateway as a virtual service names it (istio-semantics 2.1): `gw` and `./gw` are in the virtual service's
 * own namespace, `gw.ns` and `gw.ns.svc.cluster.local` are the spelling of Istio 0.x. `mesh` stays `mesh`.
 */
export function resolveGatewayName(gateway: string, namespace: string): string {
  if (gateway === "mesh") return gateway;
  if (gateway.startsWith("./")) return `${namespace}/${gateway.slice(2)}`;
  if (gateway.includes("/")) return gateway;
  const [name = "", ownNamespace] = gateway.split(".", 2);
  return `${ownNamespace ?? namespace}/${name}`;
}
