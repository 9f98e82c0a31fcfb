// Certificates made for a test: real ones, in PEM.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface TestCertificate {
  readonly certificate: string;
  readonly privateKey: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** A revocation list signed with this certificate's key; empty. */
  readonly crl: string;
}

/** A self-signed certificate, valid in 2026. */
export async function makeCertificate(name: string): Promise<TestCertificate> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const notBefore = new Date("2026-01-01T00:00:00Z");
  const notAfter = new Date("2027-01-01T00:00:00Z");
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "0a1b",
    name: `CN=${name}`,
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    keys,
  });
  const crl = await x509.X509CrlGenerator.create({
    issuer: `CN=${name}`,
    thisUpdate: notBefore,
    nextUpdate: notAfter,
    signingAlgorithm: algorithm,
    signingKey: keys.privateKey,
  });
  const privateKey = x509.PemConverter.encode(
    await webcrypto.subtle.exportKey("pkcs8", keys.privateKey),
    "PRIVATE KEY",
  );
  return { certificate: certificate.toString("pem"), privateKey, notBefore, notAfter, crl: encodeCrl(crl) };
}

/** The label that OpenSSL writes and reads; the library's own is `CRL`. */
function encodeCrl(crl: x509.X509Crl): string {
  return x509.PemConverter.encode(crl.rawData, "X509 CRL");
}
