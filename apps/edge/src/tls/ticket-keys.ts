// Keys that seal session tickets, one set for each filter chain and what it demands of clients.
import { hkdfSync } from "node:crypto";

export interface TicketKeys {
  /** What Node's `ticketKeys` takes: name, HMAC key, AES key, 16 bytes each. */
  readonly ticketKeys: Buffer;
  readonly sessionIdContext: string;
}

const ticketKeyBytes = 48;
const contextBytes = 16;

/**
 * Derives the keys. The scope takes part, so a session made on one chain cannot resume on another: a client could otherwise prove
 * nothing on an open chain and resume on one that demands a certificate (CVE-2025-23419). The secret is shared by all workers and
 * machines, so a session resumes behind any of them. When the trust changes, old sessions meet other keys and start anew.
 *
 * @param scope what must be equal for a session to resume: listener, chain, trust digest
 */
export function deriveTicketKeys(ticketSecret: Uint8Array, scope: readonly string[]): TicketKeys {
  const info = JSON.stringify(["sluice session tickets", ...scope]);
  const derived = Buffer.from(hkdfSync("sha256", ticketSecret, "", info, ticketKeyBytes + contextBytes));
  return {
    ticketKeys: derived.subarray(0, ticketKeyBytes),
    sessionIdContext: derived.toString("hex", ticketKeyBytes),
  };
}
