// Versions, ciphers and groups of a TLS context in the words that Node and its OpenSSL understand.
import { createSecureContext, DEFAULT_CIPHERS } from "node:tls";
import type { SecureVersion } from "node:tls";
import type { TlsContext, TlsVersion } from "@sluice/core/model";

export function nodeVersion(version: TlsVersion): SecureVersion {
  return version === "TLSv1.0" ? "TLSv1" : version;
}

const isTls13Suite = (name: string): boolean => name.startsWith("TLS_");

const defaultTls13Suites: readonly string[] = DEFAULT_CIPHERS.split(":").filter(isTls13Suite);

/** As Envoy's defaults: below TLS 1.3 only what HTTP/2 allows as well (RFC 9113, 9.2.2), so that whatever a client chooses is sound. */
const defaultSuites: readonly string[] = [
  ...defaultTls13Suites,
  ...["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].flatMap((name) => [
    `ECDHE-ECDSA-${name}`,
    `ECDHE-RSA-${name}`,
  ]),
];

function allowsOldVersions({ minVersion }: TlsContext): boolean {
  return minVersion === "TLSv1.0" || minVersion === "TLSv1.1";
}

/**
 * Whether our order of cipher suites counts: an operator's list is an order, and the list with which TLS 1.0 is allowed ends in suites that nobody
 * should be able to ask for first. Else the client chooses, as on listen/uws and in nginx: it knows what it computes well.
 */
export function isOrderOurs(tls: TlsContext): boolean {
  return tls.cipherSuites.length > 0 || allowsOldVersions(tls);
}

/**
 * Node's `ciphers`, which holds suites of TLS 1.3 and ciphers of older versions in one text. A list without any suite of TLS 1.3
 * would make Node switch TLS 1.3 off; in Envoy the list says nothing about TLS 1.3, so its own suites are added.
 */
export function cipherList(tls: TlsContext): string {
  const { cipherSuites, maxVersion } = tls;
  const defaults = allowsOldVersions(tls) ? DEFAULT_CIPHERS.split(":") : defaultSuites;
  const names = cipherSuites.length === 0 ? [...defaults] : [...cipherSuites];
  if (maxVersion === "TLSv1.3" && !names.some(isTls13Suite)) names.unshift(...defaultTls13Suites);
  // TLS 1.0 and 1.1 sign with SHA-1, which OpenSSL 3 only allows at its lowest level. Asking for those versions asks for that.
  if (allowsOldVersions(tls)) names.push("@SECLEVEL=0");
  return names.join(":");
}

/**
 * Node's `ecdhCurve`, or null for its default. Groups that this OpenSSL lacks (post-quantum ones before 3.5) are left out, as one
 * of them would make it refuse the list; when it knows none, the whole list is returned and refused.
 */
export function curveList(names: readonly string[]): string | null {
  if (names.length === 0) return null;
  const known = names.filter(isKnownCurve);
  return (known.length === 0 ? names : known).join(":");
}

function isKnownCurve(name: string): boolean {
  try {
    createSecureContext({ ecdhCurve: name, ca: [] });
    return true;
  } catch {
    return false;
  }
}
