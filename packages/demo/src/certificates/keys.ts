// Key pairs and the text forms of keys and certificates.
import { createHash, webcrypto } from "node:crypto";
import type { X509Certificate } from "./x509.ts";

/** ECDSA P-256 is what every client takes and the cheapest to handshake with; RSA-2048 is for clients and tests that insist. */
export type KeyAlgorithm = "ecdsa-p256" | "rsa-2048";

const keyParameters = {
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256" },
  "rsa-2048": {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  },
} as const;

export function generateKeys(algorithm: KeyAlgorithm): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyParameters[algorithm], true, ["sign", "verify"]);
}

/** How a key signs: with SHA-256, whatever the key is. */
export function signingAlgorithmOf(key: webcrypto.CryptoKey): { name: string; hash: string } {
  return { name: key.algorithm.name, hash: "SHA-256" };
}

export async function keyToPem(key: webcrypto.CryptoKey): Promise<string> {
  return toPem("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", key));
}

/** PEM with lines of 64 columns and a newline at the end, so that files may be concatenated into chains. */
export function toPem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

export function certificateToPem(certificate: X509Certificate): string {
  return toPem("CERTIFICATE", certificate.rawData);
}

/** SHA-256 over DER, in the two spellings that pinning uses: hex for a certificate, base64 for a public key. */
export function sha256(der: ArrayBuffer, encoding: "hex" | "base64"): string {
  return createHash("sha256").update(Buffer.from(der)).digest(encoding);
}
