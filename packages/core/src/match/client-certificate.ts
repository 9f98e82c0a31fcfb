// Whether the identity in a client certificate is one that the filter chain accepts: subject alternative names and pinned hashes.
// The chain of signatures, expiry and revocation are OpenSSL's part, done before this is asked.
import { createHash } from "node:crypto";

import type { X509Certificate } from "@peculiar/x509";

import { type ClientValidation, loadX509 } from "../model/index.ts";
import { sanMatches } from "./subject-alt-name.ts";
import type { PresentedSan } from "./subject-alt-name.ts";

/** `reason` is for logs and diagnostics; it quotes nothing that the client wrote. */
export type CertificateVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A certificate is parsed before its names are trusted, so its size bounds the work a client can cause. */
const maxCertificateBytes = 64 * 1024;
const maxSubjectAltNames = 1000;

const accepted: CertificateVerdict = { ok: true };

/**
 * Checks a presented certificate against what a filter chain demands. Everything that is configured must hold: a name when names are
 * listed, and a pin when pins are listed, where a match in either list of pins is enough.
 *
 * `acceptUntrusted` accepts all. Without `trustedCa` all are refused: nobody vouches for the names.
 *
 * @param certificate the leaf, DER
 */
export function checkClientCertificate(certificate: Uint8Array, validation: ClientValidation): CertificateVerdict {
  if (validation.acceptUntrusted) return accepted;
  if (validation.trustedCa === null) return refuse("no CA is configured to vouch for client certificates");
  if (certificate.byteLength > maxCertificateBytes)
    return refuse(`the certificate is larger than ${maxCertificateBytes} bytes`);
  if (validation.subjectAltNames.length === 0 && !hasPins(validation)) return accepted;
  try {
    const parsed = parseCertificate(certificate);
    const names = validation.subjectAltNames.length === 0 ? accepted : checkNames(parsed, validation.subjectAltNames);
    return names.ok ? checkPins(certificate, parsed, validation) : names;
  } catch {
    return refuse("the certificate cannot be parsed");
  }
}

/**
 * True when a subject alternative name of the certificate is one of `names`, by the rules for clients; for the other direction, where
 * an upstream's certificate is checked.
 *
 * @param certificate the leaf, DER
 */
export function certificateHasName(certificate: Uint8Array, names: readonly string[]): boolean {
  if (certificate.byteLength > maxCertificateBytes) return false;
  try {
    return checkNames(parseCertificate(certificate), names).ok;
  } catch {
    return false;
  }
}

function parseCertificate(der: Uint8Array): X509Certificate {
  return new (loadX509().X509Certificate)(Uint8Array.from(der));
}

function checkNames(certificate: X509Certificate, configuredNames: readonly string[]): CertificateVerdict {
  const extensions = certificate.getExtensions(loadX509().SubjectAlternativeNameExtension);
  const [extension] = extensions;
  if (extension === undefined) return refuse("the certificate has no subject alternative name");
  // RFC 5280, section 4.2: at most one. Which of two would count differs between libraries.
  if (extensions.length > 1) return refuse("the certificate has more than one subject alternative name extension");
  const presented: readonly PresentedSan[] = extension.names.items;
  if (presented.length > maxSubjectAltNames) {
    return refuse(`the certificate has more than ${maxSubjectAltNames} subject alternative names`);
  }
  const matches = configuredNames.some((configured) => presented.some((san) => sanMatches(configured, san)));
  return matches ? accepted : refuse("no subject alternative name of the certificate is one of those configured");
}

function hasPins(validation: ClientValidation): boolean {
  return validation.spkiHashes.length > 0 || validation.certificateHashes.length > 0;
}

function checkPins(der: Uint8Array, certificate: X509Certificate, validation: ClientValidation): CertificateVerdict {
  if (!hasPins(validation)) return accepted;
  if (validation.certificateHashes.includes(createHash("sha256").update(der).digest("hex"))) return accepted;
  const spki = createHash("sha256").update(new Uint8Array(certificate.publicKey.rawData)).digest("base64");
  if (validation.spkiHashes.includes(spki)) return accepted;
  return refuse("neither the certificate nor its public key is one of those pinned");
}

function refuse(reason: string): CertificateVerdict {
  return { ok: false, reason };
}
