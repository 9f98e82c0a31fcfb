// When the certificates of a table end: for metrics, and for a warning in time.
import { X509Certificate } from "node:crypto";
import { pemBlocks } from "@sluice/core/model";
import type { SecretResource } from "@sluice/core/model";

export interface CertificateExpiry {
  readonly secret: string;
  readonly kind: "server" | "ca";
  readonly notAfterMs: number;
}

const dayMs = 86_400_000;

/** The earliest end in every chain and CA bundle of these secrets. */
export function certificateExpiries(secrets: readonly SecretResource[]): CertificateExpiry[] {
  return secrets.flatMap((secret) => [
    ...earliest(secret.name, "server", secret.certificateChain),
    ...earliest(secret.name, "ca", secret.trustedCa),
  ]);
}

export function daysLeft(expiry: CertificateExpiry, nowMs: number): number {
  return Math.floor((expiry.notAfterMs - nowMs) / dayMs);
}

function earliest(secret: string, kind: CertificateExpiry["kind"], pem: string | null): CertificateExpiry[] {
  const blocks = pem === null ? [] : pemBlocks(pem, "CERTIFICATE");
  const ends = blocks.flatMap((block) => {
    try {
      return [Date.parse(new X509Certificate(block).validTo)];
    } catch {
      return []; // The compiler has said that it is not readable.
    }
  });
  return ends.length === 0 ? [] : [{ secret, kind, notAfterMs: Math.min(...ends) }];
}
