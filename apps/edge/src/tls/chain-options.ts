// Turns a filter chain and its secrets into the options of the TLS server that serves it, or into the reason why nothing may.
import { createHash } from "node:crypto";
import type { TlsOptions } from "node:tls";
import { isCertificate, pemBlocks } from "@sluice/core/model";
import type { FilterChain, SecretResource, TlsContext } from "@sluice/core/model";
import { cipherList, curveList, isOrderOurs, nodeVersion } from "./tls-parameters.ts";
import { deriveTicketKeys } from "./ticket-keys.ts";
import type { SecretLookup } from "./trust-digest.ts";
import { trustDigest } from "./trust-digest.ts";

export interface ChainSource {
  /** Name of the listener. */
  readonly listener: string;
  readonly chain: FilterChain & { readonly tls: TlsContext };
  readonly secret: SecretLookup;
  readonly ticketSecret: Uint8Array;
}

/** Something the chain needs is missing or unusable: it refuses every connection. `reason` is short and stable. */
export class ChainUnusable extends Error {
  override readonly name = "ChainUnusable";
  readonly reason: string;

  constructor(reason: string) {
    super(`the filter chain cannot serve: ${reason}`);
    this.reason = reason;
  }
}

/** Seconds. Within them a resumed client is checked against everything but its CA's own expiry. */
const sessionTimeoutSeconds = 3600;

/**
 * Options for `tls.createServer`, without the handshake timeout.
 *
 * @throws ChainUnusable when a secret that the chain names is not there; TLS itself throws later when one does not fit
 */
export function buildChainOptions({ listener, chain, secret, ticketSecret }: ChainSource): TlsOptions {
  const { tls } = chain;
  const asksForCertificate = tls.mode !== "SIMPLE";
  const certificates = tls.certificates.map((ref) => serverCertificate(secret(ref.secret)));
  if (certificates.length === 0) throw new ChainUnusable("certificate_missing");
  const curves = curveList(tls.ecdhCurves);
  return {
    cert: certificates.map(({ certificateChain }) => certificateChain),
    key: certificates.map(({ privateKey }) => privateKey),
    ...clientTrust(tls, secret),
    requestCert: asksForCertificate,
    // With MUTUAL OpenSSL refuses first and client-check.ts a second time. OPTIONAL_MUTUAL must let a client without certificate
    // through and `acceptUntrusted` all of them, so there client-check.ts is the only one that refuses.
    rejectUnauthorized: tls.mode === "MUTUAL" && tls.clientValidation?.acceptUntrusted !== true,
    minVersion: nodeVersion(tls.minVersion),
    maxVersion: nodeVersion(tls.maxVersion),
    ciphers: cipherList(tls),
    ...(curves === null ? {} : { ecdhCurve: curves }),
    honorCipherOrder: isOrderOurs(tls),
    ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
    sessionTimeout: sessionTimeoutSeconds,
    ...deriveTicketKeys(ticketSecret, [listener, chain.name, trustDigest(tls, secret)]),
  };
}

/** Digest of everything that `buildChainOptions` reads: a chain is rebuilt when it changes. */
export function chainDigest({ chain, secret }: ChainSource): string {
  const { tls } = chain;
  const hash = createHash("sha256").update(JSON.stringify([chain.name, tls]));
  const named = [
    ...tls.certificates.map((ref) => ref.secret),
    tls.clientValidation?.trustedCa,
    tls.clientValidation?.crl,
  ];
  for (const name of named) {
    const found = name === undefined || name === null ? null : secret(name);
    const { status, certificateChain, privateKey, trustedCa, crl } = found ?? {};
    hash.update(JSON.stringify([status, certificateChain, privateKey?.reveal(), trustedCa, crl]));
  }
  return hash.digest("base64url");
}

function serverCertificate(secret: SecretResource | null): { certificateChain: string; privateKey: string } {
  if (secret?.status !== "ready" || secret.certificateChain === null || secret.privateKey === null) {
    throw new ChainUnusable("certificate_missing");
  }
  return { certificateChain: secret.certificateChain, privateKey: secret.privateKey.reveal() };
}

/**
 * `ca` is always given: without it Node trusts the CAs of the system, and any of their customers would be a client.
 * The bundle must hold the root: `tls.Server` has no way to make an intermediate the anchor (`allowPartialTrustChain` is not passed
 * on, Node 20 to 24), so with an intermediate alone every client is refused.
 */
function clientTrust(tls: TlsContext, secret: SecretLookup): Pick<TlsOptions, "ca" | "crl"> {
  const validation = tls.clientValidation;
  if (validation === null) {
    // The compiler never makes this one; whoever edits a table by hand must not get an open door.
    if (tls.mode !== "SIMPLE") throw new ChainUnusable("client_validation_missing");
    return { ca: [] };
  }
  const ca =
    validation.trustedCa === null ? [] : pemBlocks(readyText(secret(validation.trustedCa), "trustedCa"), "CERTIFICATE");
  // OpenSSL skips what it cannot parse; here one bad certificate closes the chain, as the author meant all of them.
  if (!ca.every(isCertificate) || (validation.trustedCa !== null && ca.length === 0)) {
    throw new ChainUnusable("client_ca_invalid");
  }
  if (validation.crl === null) return { ca };
  // Node reads only the first list of a text, so each goes in by itself.
  const crl = pemBlocks(readyText(secret(validation.crl), "crl"), "X509 CRL");
  if (crl.length === 0) throw new ChainUnusable("client_crl_invalid");
  return { ca, crl };
}

function readyText(secret: SecretResource | null, part: "trustedCa" | "crl"): string {
  const text = secret?.status === "ready" ? secret[part] : null;
  if (text === null) throw new ChainUnusable(part === "crl" ? "client_crl_missing" : "client_ca_missing");
  return text;
}
