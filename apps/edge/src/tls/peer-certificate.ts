// Reads out of a client's certificate what headers, logs and the check of its dates need, once for each certificate.
import type { X509Certificate } from "node:crypto";
import { loadX509 } from "@sluice/core/model";
import { LRUCache } from "lru-cache";
import type { PeerCertificate } from "../exchange/downstream.ts";

export interface ReadCertificate {
  readonly peer: PeerCertificate;
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const cache = new LRUCache<string, ReadCertificate>({ max: 4096 });

/** Cached by fingerprint. */
export function readCertificate(certificate: X509Certificate): ReadCertificate {
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  const known = cache.get(fingerprint);
  if (known !== undefined) return known;
  const read: ReadCertificate = {
    peer: {
      fingerprint,
      subject: toRfc2253(certificate.subject),
      pem: certificate.toString(),
      ...readNames(certificate),
    },
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
  cache.set(fingerprint, read);
  return read;
}

/**
 * RFC 2253 text (most specific part first, non-ASCII escaped byte by byte) of Node's subject, which has one part a line, in the
 * certificate's order, and values already escaped: a line feed inside a value reads `\0A`, so lines are parts.
 */
export function toRfc2253(subject: string | undefined): string {
  if (subject === undefined) return "";
  const parts = subject.split("\n").map((line) => line.split(" + ").toReversed().join("+"));
  return parts
    .toReversed()
    .join(",")
    .replace(/[^\x20-\x7e]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return [...Buffer.from(character, "utf8")]
    .map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}

/** Names come from the ASN.1 fields, never from Node's joined text, into which a value can write commas and types. */
function readNames(certificate: X509Certificate): { dnsNames: string[]; uris: string[] } {
  const names: { dnsNames: string[]; uris: string[] } = { dnsNames: [], uris: [] };
  try {
    const { SubjectAlternativeNameExtension, X509Certificate: ParsedCertificate } = loadX509();
    const parsed = new ParsedCertificate(Uint8Array.from(certificate.raw));
    for (const { type, value } of parsed.getExtension(SubjectAlternativeNameExtension)?.names.items ?? []) {
      // What is not printable ASCII is no name: passed on, a NUL would end it early for readers in C.
      if (!/^[\x21-\x7e]+$/.test(value)) continue;
      if (type === "dns") names.dnsNames.push(value);
      else if (type === "url") names.uris.push(value);
    }
  } catch {
    return { dnsNames: [], uris: [] };
  }
  return names;
}
