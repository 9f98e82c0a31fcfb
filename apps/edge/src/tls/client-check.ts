// The last word on a client: after the handshake, full or resumed, and before a byte of HTTP is read.
import type { X509Certificate } from "node:crypto";
import { checkClientCertificate } from "@sluice/core/match";
import type { TlsContext } from "@sluice/core/model";
import { LRUCache } from "lru-cache";
import type { PeerCertificate } from "../exchange/downstream.ts";
import { readCertificate } from "./peer-certificate.ts";

/** What OpenSSL said about the client. */
export interface PresentedIdentity {
  readonly certificate: X509Certificate | undefined;
  /** The chain of signatures, the dates and the revocation lists were fine; on a resumed session: when it was made. */
  readonly isAuthorized: boolean;
  /** OpenSSL's name for why not, `CERT_HAS_EXPIRED`. */
  readonly authorizationError: string | null;
}

export type ClientVerdict =
  | { readonly ok: true; readonly peer: PeerCertificate | null }
  | { readonly ok: false; readonly reason: string };

/** Identities that passed or failed, by fingerprint and trust digest: the same certificate on the same demand. */
const verdicts = new LRUCache<string, boolean>({ max: 16_384 });

/**
 * Whether the chain lets this client in. Node calls a resumed TLS 1.3 session without any certificate authorized, so presence is
 * asked for first; dates are asked for again because a resumed session was verified in the past.
 *
 * @param trust digest of the demand, see trust-digest.ts
 */
export function checkClient(identity: PresentedIdentity, tls: TlsContext, trust: string): ClientVerdict {
  if (tls.mode === "SIMPLE") return { ok: true, peer: null };
  const { certificate } = identity;
  if (certificate === undefined) {
    return tls.mode === "MUTUAL" ? refuse("client_certificate_missing") : { ok: true, peer: null };
  }
  const { clientValidation: validation } = tls;
  if (validation === null) return refuse("client_validation_missing");
  const { peer, notBeforeMs, notAfterMs } = readCertificate(certificate);
  if (validation.acceptUntrusted) return { ok: true, peer };
  if (!identity.isAuthorized) return refuse(authorizationReason(identity.authorizationError));
  const nowMs = Date.now();
  // Written so that a date that could not be read (NaN) refuses.
  if (!(notBeforeMs <= nowMs && nowMs <= notAfterMs)) return refuse("cert_has_expired");
  const key = `${peer.fingerprint} ${trust}`;
  let isAccepted = verdicts.get(key);
  if (isAccepted === undefined) {
    isAccepted = checkClientCertificate(certificate.raw, validation).ok;
    verdicts.set(key, isAccepted);
  }
  return isAccepted ? { ok: true, peer } : refuse("identity_not_accepted");
}

/** OpenSSL's names are a short list: fit for a metric label. */
export function authorizationReason(authorizationError: string | null): string {
  return (authorizationError ?? "unverified").toLowerCase();
}

function refuse(reason: string): ClientVerdict {
  return { ok: false, reason };
}
