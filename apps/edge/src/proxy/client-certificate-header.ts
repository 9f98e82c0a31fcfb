// x-forwarded-client-cert, in Envoy's SANITIZE_SET form: what the client proved, said by the gateway and by no one else.
import type { PeerCertificate } from "../exchange/downstream.ts";

const cache = new WeakMap<PeerCertificate, string>();

/** `Hash=...;Cert="...";Subject="...";URI=...;DNS=...`. Made once a certificate and connection. */
export function clientCertificateHeader(peer: PeerCertificate): string {
  const known = cache.get(peer);
  if (known !== undefined) return known;
  const parts = [
    `Hash=${peer.fingerprint}`,
    `Cert="${encodeURIComponent(peer.pem)}"`,
    `Subject="${escapeQuoted(peer.subject)}"`,
    ...(peer.uris.length === 0 ? ["URI="] : peer.uris.map((uri) => `URI=${escapePlain(uri)}`)),
    ...peer.dnsNames.map((name) => `DNS=${escapePlain(name)}`),
  ];
  const header = parts.join(";");
  cache.set(peer, header);
  return header;
}

// Names in a certificate are its CA's words, not ours: anything that could end the element or the header line is encoded.
function escapeQuoted(text: string): string {
  return text.replace(/["\\]/g, "\\$&").replace(/[^\x20-\x7e]/g, encode);
}

function escapePlain(text: string): string {
  return text.replace(/[^\x21-\x7e]|[",;]/g, encode);
}

function encode(character: string): string {
  return [...Buffer.from(character, "utf8")]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}
