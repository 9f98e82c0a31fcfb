// A certificate authority that lives in memory: issues leaves, intermediates and revocation lists.
import { daysFromNow, defaultNotBefore } from "./issuer.ts";
import type { Issuer } from "./issuer.ts";
import { certificateToPem, generateKeys, keyToPem, signingAlgorithmOf, toPem } from "./keys.ts";
import type { KeyAlgorithm } from "./keys.ts";
import { issueLeaf } from "./leaf.ts";
import type { Issued, IssueOptions } from "./leaf.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
  X509CrlReason,
} from "./x509.ts";

const authorityLifetimeDays = 3650;
const crlLifetimeDays = 30;

export interface AuthorityOptions {
  readonly commonName: string;
  readonly notBefore?: Date;
  /** Ten years from now when absent. */
  readonly notAfter?: Date;
  readonly algorithm?: KeyAlgorithm;
}

export interface CrlOptions {
  /** May be empty; each must come from this authority. */
  readonly revoked: readonly Issued[];
  readonly thisUpdate?: Date;
  /** Thirty days from now when absent. In the past it makes an expired list. */
  readonly nextUpdate?: Date;
}

export interface Authority {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** This authority's certificate and those above it except the root; empty for a root. What its leaves send after themselves. */
  readonly chainPem: string;
  issue(options: IssueOptions): Promise<Issued>;
  createIntermediate(options: AuthorityOptions): Promise<Authority>;
  /** A certificate revocation list of this authority, as PEM. */
  crl(options: CrlOptions): Promise<string>;
}

/**
 * Creates a self-signed root authority. Nothing is written anywhere.
 * @example
 * const authority = await createAuthority({ commonName: "test root" });
 * const { chainPem, keyPem } = await authority.issue({ commonName: "a", dnsNames: ["a.example"] });
 */
export function createAuthority(options: AuthorityOptions): Promise<Authority> {
  return establish(options, undefined);
}

async function establish(options: AuthorityOptions, parent: Issuer | undefined): Promise<Authority> {
  const keys = await generateKeys(options.algorithm ?? "ecdsa-p256");
  const name = [{ CN: [options.commonName] }];
  const certificate = await X509CertificateGenerator.create({
    subject: name,
    issuer: parent?.certificate.subjectName ?? name,
    notBefore: options.notBefore ?? defaultNotBefore(),
    notAfter: options.notAfter ?? daysFromNow(authorityLifetimeDays),
    publicKey: keys.publicKey,
    signingKey: parent?.privateKey ?? keys.privateKey,
    signingAlgorithm: signingAlgorithmOf(parent?.privateKey ?? keys.privateKey),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(parent?.certificate.publicKey ?? keys.publicKey),
    ],
  });
  const certificatePem = certificateToPem(certificate);
  const chainPem = parent === undefined ? "" : certificatePem + parent.chainPem;
  const issuer: Issuer = { certificate, privateKey: keys.privateKey, chainPem };
  return {
    certificatePem,
    keyPem: await keyToPem(keys.privateKey),
    chainPem,
    issue: (leaf) => issueLeaf(issuer, leaf),
    createIntermediate: (intermediate) => establish(intermediate, issuer),
    crl: (list) => createCrl(issuer, list),
  };
}

async function createCrl({ certificate, privateKey }: Issuer, options: CrlOptions): Promise<string> {
  const thisUpdate = options.thisUpdate ?? defaultNotBefore();
  const list = await X509CrlGenerator.create({
    issuer: certificate.subjectName,
    thisUpdate,
    nextUpdate: options.nextUpdate ?? daysFromNow(crlLifetimeDays),
    entries: options.revoked.map(({ serialNumberHex }) => ({
      serialNumber: serialNumberHex,
      revocationDate: thisUpdate,
      // Without a reason the library writes an empty list of entry extensions, which RFC 5280 forbids.
      reason: X509CrlReason.keyCompromise,
    })),
    extensions: [await AuthorityKeyIdentifierExtension.create(certificate.publicKey)],
    signingAlgorithm: signingAlgorithmOf(privateKey),
    signingKey: privateKey,
  });
  return toPem("X509 CRL", list.rawData);
}
