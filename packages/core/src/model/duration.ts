// Durations as Istio writes them: Go's form (`1.5s`, `1h30m`), of which protobuf's (`1.500s`) is a part.

const unitsMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy;

/** Milliseconds, or null for a text that is no duration. `0` needs no unit. Negative durations are none here. */
export function parseDurationMs(text: string): number | null {
  if (text === "0") return 0;
  let totalMs = 0;
  let end = 0;
  for (const [whole, amount, unit] of text.matchAll(part)) {
    totalMs += Number(amount) * unitsMs[unit as keyof typeof unitsMs];
    end += whole.length;
  }
  // The sum of decimal fractions is off by some last bits; a nanosecond, Go's unit, is far above those.
  return end === 0 || end !== text.length ? null : Math.round(totalMs * 1e6) / 1e6;
}
