// `host:port` of sluice.yaml, taken apart.

/** `127.0.0.1:15000` → host and port; the brackets of an IPv6 host are taken off. The schema has checked the shape. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(address.slice(colon + 1)) };
}

/** The URL of a bound address: `http://127.0.0.1:15010`, `http://[::1]:15010`. */
export function toHttpUrl(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
