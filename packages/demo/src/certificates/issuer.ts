// What signing needs to know about an authority, shared by leaves, intermediates and revocation lists.
import type { webcrypto } from "node:crypto";
import type { X509Certificate } from "./x509.ts";

export interface Issuer {
  readonly certificate: X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
  /** The issuer and those above it except the root. */
  readonly chainPem: string;
}

const backdateMs = 60 * 60 * 1000;

/** Where validity begins: an hour ago, so that a client whose clock is behind does not refuse what was made a second ago. */
export function defaultNotBefore(): Date {
  return new Date(Date.now() - backdateMs);
}

export function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * 24 * 60 * 60 * 1000);
}
