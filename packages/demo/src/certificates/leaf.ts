// Leaf certificates: what a server or a client shows, with every kind of subject alternative name, forged ones included.
import { certificateToPem, generateKeys, keyToPem, sha256, signingAlgorithmOf } from "./keys.ts";
import type { KeyAlgorithm } from "./keys.ts";
import { daysFromNow, defaultNotBefore } from "./issuer.ts";
import type { Issuer } from "./issuer.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "./x509.ts";
import type { JsonGeneralNames } from "./x509.ts";

const leafLifetimeDays = 365;
const subjectAlternativeNameOid = "2.5.29.17";

export interface IssueOptions {
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  /**
   * The DER of the whole subject alternative name value, taken as it is and instead of the four lists: for names that no honest
   * authority writes, such as a dNSName with a NUL inside.
   */
  readonly rawSan?: Uint8Array;
  /** An hour ago when absent. */
  readonly notBefore?: Date;
  /** A year from now when absent. In the past it makes an expired certificate. */
  readonly notAfter?: Date;
  /** May authenticate a client. Default: no. */
  readonly client?: boolean;
  /** May authenticate a server. Default: yes, unless it is a client's. With both false the extended key usage is left out. */
  readonly server?: boolean;
  readonly algorithm?: KeyAlgorithm;
}

export interface Issued {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The certificate and its intermediates, without the root: what a TLS server or client sends. */
  readonly chainPem: string;
  readonly serialNumberHex: string;
  /** Lower case, without colons (`openssl x509 -fingerprint -sha256` prints the same digits in its own way). */
  readonly fingerprintSha256Hex: string;
  /** Of the SubjectPublicKeyInfo: what Istio and Envoy call the SPKI pin. */
  readonly spkiSha256Base64: string;
}

export async function issueLeaf(issuer: Issuer, options: IssueOptions): Promise<Issued> {
  const algorithm = options.algorithm ?? "ecdsa-p256";
  const keys = await generateKeys(algorithm);
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [options.commonName] }],
    issuer: issuer.certificate.subjectName,
    notBefore: options.notBefore ?? defaultNotBefore(),
    notAfter: options.notAfter ?? daysFromNow(leafLifetimeDays),
    publicKey: keys.publicKey,
    signingKey: issuer.privateKey,
    signingAlgorithm: signingAlgorithmOf(issuer.privateKey),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(keyUsage(algorithm), true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
      ...extendedKeyUsage(options),
      ...subjectAlternativeName(options),
    ],
  });
  const certificatePem = certificateToPem(certificate);
  return {
    certificatePem,
    keyPem: await keyToPem(keys.privateKey),
    chainPem: certificatePem + issuer.chainPem,
    serialNumberHex: certificate.serialNumber,
    fingerprintSha256Hex: sha256(certificate.rawData, "hex"),
    spkiSha256Base64: sha256(certificate.publicKey.rawData, "base64"),
  };
}

// Key encipherment is for the RSA key exchange of TLS 1.2; an ECDSA key cannot do it and strict clients refuse the claim.
function keyUsage(algorithm: KeyAlgorithm): KeyUsageFlags {
  if (algorithm === "ecdsa-p256") return KeyUsageFlags.digitalSignature;
  return KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment;
}

function extendedKeyUsage({ client = false, server = !client }: IssueOptions): Extension[] {
  const usages: string[] = [];
  if (server) usages.push(ExtendedKeyUsage.serverAuth);
  if (client) usages.push(ExtendedKeyUsage.clientAuth);
  return usages.length === 0 ? [] : [new ExtendedKeyUsageExtension(usages)];
}

function subjectAlternativeName(options: IssueOptions): Extension[] {
  if (options.rawSan !== undefined) return [new Extension(subjectAlternativeNameOid, false, options.rawSan)];
  const { dnsNames = [], ipAddresses = [], uris = [], emails = [] } = options;
  const names: JsonGeneralNames = [
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
    ...uris.map((value) => ({ type: "url" as const, value })),
    ...emails.map((value) => ({ type: "email" as const, value })),
  ];
  return names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)];
}
