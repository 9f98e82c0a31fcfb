// Which ends of certificates are to be told now: once when one comes nearer, and again every day that nothing is done about it.
import {
  type CertificateExpiry,
  daysLeft,
  type ExpiryLimits,
  type ExpiryStage,
  expiryStage,
} from "./certificate-expiry.ts";

export interface ExpiryWarning extends CertificateExpiry {
  readonly stage: Exclude<ExpiryStage, "fine">;
  readonly daysLeft: number;
}

const againAfterMs = 86_400_000;

export class ExpiryWarnings {
  readonly #limits: ExpiryLimits;
  #told = new Map<string, { readonly stage: ExpiryStage; readonly atMs: number }>();

  constructor(limits: ExpiryLimits) {
    this.#limits = limits;
  }

  /** What is to be told of these certificates, which are all there are. */
  due(expiries: readonly CertificateExpiry[], nowMs: number): ExpiryWarning[] {
    const before = this.#told;
    this.#told = new Map();
    return expiries.flatMap((expiry) => {
      const stage = expiryStage(expiry, nowMs, this.#limits);
      if (stage === "fine") return [];
      const key = `${expiry.kind} ${expiry.secret} ${expiry.notAfterMs}`;
      const told = before.get(key);
      const isKnown = told !== undefined && told.stage === stage && nowMs - told.atMs < againAfterMs;
      this.#told.set(key, isKnown ? told : { stage, atMs: nowMs });
      return isKnown ? [] : [{ ...expiry, stage, daysLeft: daysLeft(expiry, nowMs) }];
    });
  }
}

/** `the certificate of kubernetes://istio-system/shop (server) ends in 6 days, at 2026-11-29T00:00:00.000Z`. */
export function describeExpiry({ secret, kind, notAfterMs, stage, daysLeft: days }: ExpiryWarning): string {
  const when = stage === "expired" ? "HAS EXPIRED" : days < 1 ? "ends within a day" : `ends in ${days} days`;
  return `the certificate of ${secret} (${kind}) ${when}, at ${new Date(notAfterMs).toISOString()}`;
}
