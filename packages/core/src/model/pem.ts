// PEM texts that hold several blocks: certificates of authorities, revocation lists.
import { X509Certificate } from "node:crypto";

export type PemLabel = "CERTIFICATE" | "X509 CRL";

/** The blocks of that label, in order, what stands between them left out. */
export function pemBlocks(text: string, label: PemLabel): string[] {
  return text.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, "g")) ?? [];
}

/** To be asked of every block: OpenSSL skips what it cannot parse, and the author meant all of them. */
export function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
