// The names of cipher suites and curves that this machine's OpenSSL understands. Lookups only, nothing is opened.
import { getCiphers } from "node:tls";

/** In capitals, as OpenSSL and Istio write them: `ECDHE-RSA-AES128-GCM-SHA256`. */
export const knownCipherSuites: ReadonlySet<string> = new Set(getCiphers().map((name) => name.toUpperCase()));

/** OpenSSL's group names, and the X9.62 and SEC names of the same curves. */
export const knownCurves: ReadonlySet<string> = new Set([
  "X25519",
  "X448",
  "P-256",
  "P-384",
  "P-521",
  "prime256v1",
  "secp384r1",
  "secp521r1",
]);
