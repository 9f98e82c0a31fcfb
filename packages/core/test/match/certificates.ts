// Certificates for the tests of client identity, made in memory with @peculiar/x509.
import "reflect-metadata";
import { webcrypto } from "node:crypto";

import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const validity = { notBefore: new Date("2020-01-01"), notAfter: new Date("2040-01-01") };

type Keys = Awaited<ReturnType<typeof makeKeys>>;

async function makeKeys() {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: Keys;
}

export interface LeafOptions {
  readonly sans?: readonly { readonly type: "dns" | "url" | "email" | "ip"; readonly value: string }[];
  readonly extensions?: readonly x509.Extension[];
  readonly serialNumber?: string;
  readonly notAfter?: Date;
}

export async function makeAuthority(name: string): Promise<Authority> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${name}`,
    ...validity,
    signingAlgorithm: algorithm,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return { certificate, keys };
}

/** With `isAuthority: false`, a certificate that signs others without being allowed to. */
export async function issueAuthority(issuer: Authority, name: string, { isAuthority = true } = {}): Promise<Authority> {
  const keys = await makeKeys();
  const extensions = [new x509.BasicConstraintsExtension(isAuthority, undefined, true)];
  return { certificate: await issue(issuer, { name, keys, extensions }), keys };
}

export async function issueLeaf(issuer: Authority, options: LeafOptions = {}): Promise<x509.X509Certificate> {
  const { sans = [], extensions = [], ...rest } = options;
  const names = sans.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...sans])];
  return issue(issuer, { name: "client", keys: await makeKeys(), extensions: [...names, ...extensions], ...rest });
}

export async function revocationList(
  issuer: Authority,
  serialNumbers: readonly string[],
  { hasNextUpdate = true } = {},
): Promise<string> {
  const crl = await x509.X509CrlGenerator.create({
    issuer: issuer.certificate.subject,
    thisUpdate: validity.notBefore,
    ...(hasNextUpdate ? { nextUpdate: validity.notAfter } : {}),
    signingAlgorithm: algorithm,
    signingKey: issuer.keys.privateKey,
    entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: validity.notBefore })),
  });
  // OpenSSL reads lists under this label only.
  return crl.toString("pem").replaceAll(" CRL-", " X509 CRL-");
}

export function derOf(certificate: x509.X509Certificate): Uint8Array {
  return new Uint8Array(certificate.rawData);
}

interface Order {
  readonly name: string;
  readonly keys: Keys;
  readonly extensions: readonly x509.Extension[];
  readonly serialNumber?: string;
  readonly notAfter?: Date;
}

async function issue(issuer: Authority, { name, keys, extensions, serialNumber = "02", notAfter }: Order) {
  return x509.X509CertificateGenerator.create({
    serialNumber,
    subject: `CN=${name}`,
    issuer: issuer.certificate.subject,
    ...validity,
    ...(notAfter === undefined ? {} : { notAfter }),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [...extensions],
  });
}
