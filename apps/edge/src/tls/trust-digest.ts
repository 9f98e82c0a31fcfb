// One short text for everything a filter chain demands of its clients. Two chains, or two states of one chain, that would let the
// same clients in have the same text; see `Downstream.trust` and ticket-keys.ts.
import { createHash } from "node:crypto";
import type { SecretResource, TlsContext } from "@sluice/core/model";

/** Resolves a secret by name; null when the table does not hold it. */
export type SecretLookup = (name: string) => SecretResource | null;

/**
 * Digest of mode, accepted identities, CA and revocation list; the contents count, not the names of the secrets. Server
 * certificates, versions and ciphers take no part: they do not change who the client is. Empty when nothing is demanded.
 */
export function trustDigest(tls: TlsContext, secret: SecretLookup): string {
  if (tls.mode === "SIMPLE") return "";
  const demand = [tls.mode, ...demandOf(tls, secret)];
  return createHash("sha256").update(JSON.stringify(demand)).digest("base64url");
}

function demandOf({ clientValidation }: TlsContext, secret: SecretLookup): readonly unknown[] {
  if (clientValidation === null) return [null];
  const { trustedCa, crl, subjectAltNames, spkiHashes, certificateHashes, acceptUntrusted } = clientValidation;
  return [
    trustedCa === null ? null : (secret(trustedCa)?.trustedCa ?? "missing"),
    crl === null ? null : (secret(crl)?.crl ?? "missing"),
    subjectAltNames,
    spkiHashes,
    certificateHashes,
    acceptUntrusted,
  ];
}
