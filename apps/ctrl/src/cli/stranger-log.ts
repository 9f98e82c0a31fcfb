// Connections that were turned away, in the log: a line a reason and minute, for whoever scans the port decides how many there are.
import type { Logger } from "./log.ts";

const everyMs = 60_000;
/** Reasons are OpenSSL's names and ours; what is beyond is told together. */
const maxReasons = 32;

export class StrangerLog {
  readonly #log: Logger;
  readonly #counts = new Map<string, { untold: number; toldAtMs: number }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  note(address: string, reason: string, nowMs = Date.now()): void {
    const key = this.#counts.has(reason) || this.#counts.size < maxReasons ? reason : "other";
    const count = this.#counts.get(key) ?? { untold: 0, toldAtMs: -Infinity };
    this.#counts.set(key, count);
    count.untold++;
    if (nowMs - count.toldAtMs < everyMs) return;
    // `times`: as often since the last such line.
    this.#log.warn({ address, reason, times: count.untold }, "connection for edges refused");
    count.untold = 0;
    count.toldAtMs = nowMs;
  }
}
