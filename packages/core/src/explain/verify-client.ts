// Whether a client certificate would pass the handshake of a filter chain: what OpenSSL checks at the edge (signatures up to a trusted root,
// purpose, validity, revocation), and the identity check that the edge shares.
import { X509Certificate } from "node:crypto";

import { checkClientCertificate } from "../match/client-certificate.ts";
import { pemBlocks } from "../model/pem.ts";
import { loadX509 } from "../model/x509.ts";
import type { ClientValidation, SecretResource } from "../model/index.ts";

/** Longer chains are refused, as OpenSSL's depth limit would, and a cycle of cross-signed CAs ends. */
const maxChainLength = 10;

const clientAuthUsage = "1.3.6.1.5.5.7.3.2";
const anyUsage = "2.5.29.37.0";

export interface ClientInQuestion {
  /** PEM, leaf first. */
  readonly certificates: string;
  readonly validation: ClientValidation | null;
  readonly secrets: readonly SecretResource[];
  readonly nowMs: number | undefined;
}

/** Why the certificate is refused, or null when it passes. */
export function rejectClientCertificate({ certificates, validation, secrets, nowMs }: ClientInQuestion): string | null {
  if (validation === null) return "the chain has nothing to check a client certificate against";
  const presented = readCertificates(certificates);
  const [leaf, ...intermediates] = presented ?? [];
  if (leaf === undefined) return "the file holds no readable PEM certificate";
  if (validation.acceptUntrusted) return null;
  const roots = trustedRoots(validation, secrets);
  if (typeof roots === "string") return roots;
  const reason = rejectChain(leaf, { intermediates, roots, nowMs }) ?? rejectRevoked(leaf, validation, secrets);
  if (reason !== null) return reason;
  const verdict = checkClientCertificate(leaf.raw, validation);
  return verdict.ok ? null : verdict.reason;
}

/** The CA bundle, or why there is none. */
function trustedRoots(
  validation: ClientValidation,
  secrets: readonly SecretResource[],
): readonly X509Certificate[] | string {
  if (validation.trustedCa === null) return "no CA is configured to vouch for client certificates";
  const secret = secrets.find(({ name }) => name === validation.trustedCa);
  if (secret?.status !== "ready" || secret.trustedCa === null) {
    return `the CA bundle ${validation.trustedCa} is ${secret?.status ?? "missing"}: every client certificate is refused until it is there`;
  }
  return readCertificates(secret.trustedCa) ?? `the CA bundle ${validation.trustedCa} is not readable`;
}

interface ChainContext {
  readonly intermediates: readonly X509Certificate[];
  readonly roots: readonly X509Certificate[];
  readonly nowMs: number | undefined;
}

function rejectChain(leaf: X509Certificate, { intermediates, roots, nowMs }: ChainContext): string | null {
  // Node calls the extended key usages `keyUsage`; a certificate without them serves every purpose.
  const usages: readonly string[] | undefined = leaf.keyUsage;
  if (usages !== undefined && usages.length > 0 && !usages.includes(clientAuthUsage) && !usages.includes(anyUsage)) {
    return "the certificate is not meant for clients (extended key usage)";
  }
  let current = leaf;
  for (let length = 0; length < maxChainLength; length++) {
    if (nowMs !== undefined && !isValidAt(current, nowMs))
      return `${describeCertificate(current)} is not valid at this time`;
    const known = current;
    if (roots.some((root) => root.fingerprint256 === known.fingerprint256) && isIssuedBy(known, known)) return null;
    const issuer = [...roots, ...intermediates].find(
      (ca) => ca.fingerprint256 !== known.fingerprint256 && ca.ca && isIssuedBy(known, ca),
    );
    if (issuer === undefined) return `${describeCertificate(known)} is signed by no CA of the bundle`;
    current = issuer;
  }
  return `the chain is longer than ${maxChainLength} certificates`;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isValidAt(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
}

/** With a CRL configured, the leaf's issuer must have one and the leaf must not be on it. A list that cannot be read refuses. */
function rejectRevoked(
  leaf: X509Certificate,
  validation: ClientValidation,
  secrets: readonly SecretResource[],
): string | null {
  if (validation.crl === null) return null;
  const secret = secrets.find(({ name }) => name === validation.crl);
  if (secret?.status !== "ready" || secret.crl === null) return `the revocation list ${validation.crl} is not there`;
  try {
    const { X509Certificate: ParsedCertificate, X509Crl } = loadX509();
    const certificate = new ParsedCertificate(Uint8Array.from(leaf.raw));
    const lists = pemBlocks(secret.crl, "X509 CRL").map((pem) => new X509Crl(pem));
    const own = lists.filter((crl) => crl.issuer === certificate.issuer);
    if (own.length === 0) return `${validation.crl} holds no revocation list of the certificate's issuer`;
    // RFC 5280, section 5.1.2.5, demands nextUpdate. Without it @peculiar/x509 reads no entries: nobody would be revoked.
    if (own.some((crl) => crl.nextUpdate === undefined))
      return `the revocation list ${validation.crl} has no date of its next update`;
    return own.some((crl) => crl.findRevoked(certificate) !== null) ? "the certificate is revoked" : null;
  } catch {
    return `the revocation list ${validation.crl} is not readable`;
  }
}

function readCertificates(pem: string): readonly X509Certificate[] | null {
  try {
    const certificates = pemBlocks(pem, "CERTIFICATE").map((block) => new X509Certificate(block));
    return certificates.length === 0 ? null : certificates;
  } catch {
    return null;
  }
}

function describeCertificate(certificate: X509Certificate): string {
  return `the certificate of ${certificate.subject.replaceAll("\n", ", ") || "nobody"}`;
}
