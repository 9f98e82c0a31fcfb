import { describe, expect, test } from "vitest";
import { type CertificateExpiry, describeExpiry, ExpiryWarnings } from "../../src/model/index.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 0, 1);
const limits = { warnDays: 30, urgentDays: 7 };

function endingIn(days: number, secret = "shop"): CertificateExpiry {
  return { secret, kind: "server", notAfterMs: now + days * day };
}

function stagesAt(...days: number[]): string[] {
  return days.flatMap((left) => new ExpiryWarnings(limits).due([endingIn(left)], now).map(({ stage }) => stage));
}

describe("the end of a certificate", () => {
  test("is told when it is near, urgently when it is nearer, and when it is over", () => {
    expect(stagesAt(30, 29.9, 7, 6.9, 0.1, 0, -1)).toEqual(["soon", "soon", "urgent", "urgent", "expired", "expired"]);
  });

  test("is told once for each stage, and once a day while nothing is done about it", () => {
    const warnings = new ExpiryWarnings(limits);
    const told = (atDays: number, expiry = endingIn(29)) => warnings.due([expiry], now + atDays * day).length;
    expect([told(0), told(0.5), told(1), told(1.9), told(2.5)]).toEqual([1, 0, 1, 0, 1]);
    // Another stage, not a day later.
    expect([told(22.6), told(23.4)]).toEqual([1, 0]);
    expect([told(29), told(29.1)]).toEqual([1, 0]);
    // Renewed for ten days.
    expect([told(29.2, endingIn(39)), told(29.3, endingIn(39))]).toEqual([1, 0]);
  });

  test("is told in words that say whose, when, and that it is over", () => {
    const [soon, over] = [endingIn(6.5), endingIn(-1)].map((expiry) =>
      describeExpiry(new ExpiryWarnings(limits).due([expiry], now)[0]!),
    );
    expect(soon).toBe("the certificate of shop (server) ends in 6 days, at 2026-01-07T12:00:00.000Z");
    expect(over).toBe("the certificate of shop (server) HAS EXPIRED, at 2025-12-31T00:00:00.000Z");
  });
});
