// When certificates end: for status and metrics, and for a warning in time.
import { X509Certificate } from "node:crypto";
import { pemBlocks } from "./pem.ts";
import type { SecretResource } from "./table.ts";

export interface CertificateExpiry {
  /** The secret's name, or the setting that names the certificate. */
  readonly secret: string;
  /** What it is shown as, or trusted as. */
  readonly kind: "server" | "client" | "ca";
  readonly notAfterMs: number;
}

/** From when on an end is near. */
export interface ExpiryLimits {
  readonly warnDays: number;
  readonly urgentDays: number;
}

export type ExpiryStage = "fine" | "soon" | "urgent" | "expired";

const dayMs = 86_400_000;

/** The earliest end in every chain and CA bundle of these secrets. */
export function certificateExpiries(secrets: readonly SecretResource[]): CertificateExpiry[] {
  return secrets.flatMap((secret) => [
    ...earliest(secret.name, "server", secret.certificateChain),
    ...earliest(secret.name, "ca", secret.trustedCa),
  ]);
}

/** Whole days; negative when it has ended. */
export function daysLeft({ notAfterMs }: CertificateExpiry, nowMs: number): number {
  return Math.floor((notAfterMs - nowMs) / dayMs);
}

export function expiryStage(expiry: CertificateExpiry, nowMs: number, limits: ExpiryLimits): ExpiryStage {
  if (expiry.notAfterMs <= nowMs) return "expired";
  const days = daysLeft(expiry, nowMs);
  if (days < limits.urgentDays) return "urgent";
  return days < limits.warnDays ? "soon" : "fine";
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
