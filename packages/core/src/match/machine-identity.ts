// Whether a machine's certificate allows it to be the machine that it says it is. The chain of signatures and the dates are OpenSSL's part,
// done before this is asked.
import { loadX509 } from "../model/index.ts";
import { asciiLowerCase } from "./ascii.ts";

/**
 * What a machine may be called that connects from elsewhere. No slash, so that it cannot add a step to a URI it is put into; no wildcard; no
 * space or control character, for it is written to logs.
 */
const machineId = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const maxCertificateBytes = 64 * 1024;
const maxNames = 100;

/**
 * Null when one of the patterns, with `id` in place of `{id}`, is a DNS name or URI of the certificate; else why not. Names are read out of
 * their own ASN.1 fields, never out of a joined text, into which a value can write commas and types. They are compared as a whole: a
 * wildcard is a right to many hosts, not an identity.
 *
 * @param certificate the leaf, DER
 */
export function findIdentityProblem(certificate: Uint8Array, id: string, patterns: readonly string[]): string | null {
  if (!machineId.test(id)) return `${JSON.stringify(id.slice(0, 64))} is no id: letters, digits, ".", "_" and "-" only`;
  const presented = readIdentities(certificate);
  if (typeof presented === "string") return presented;
  const wanted = patterns.map((pattern) => pattern.replace("{id}", () => id));
  const isHeld = wanted.some((name) => presented.has(identityKey(isUri(name) ? "url" : "dns", name)));
  return isHeld ? null : `its certificate is not one of ${JSON.stringify(id)}: it does not hold ${wanted.join(" or ")}`;
}

/** The DNS names and URIs, or why there are none to rely on. */
function readIdentities(certificate: Uint8Array): ReadonlySet<string> | string {
  if (certificate.byteLength > maxCertificateBytes)
    return `its certificate is larger than ${maxCertificateBytes} bytes`;
  const { SubjectAlternativeNameExtension, X509Certificate } = loadX509();
  try {
    const extensions = new X509Certificate(Uint8Array.from(certificate)).getExtensions(SubjectAlternativeNameExtension);
    // RFC 5280, section 4.2: at most one. Which of two would count differs between libraries.
    if (extensions.length !== 1) return "its certificate must have one subject alternative name extension";
    const names = extensions.flatMap((extension) => extension.names.items);
    if (names.length > maxNames) return `its certificate has more than ${maxNames} names`;
    return new Set(names.map(({ type, value }) => identityKey(type, value)));
  } catch {
    return "its certificate cannot be parsed";
  }
}

function identityKey(type: string, value: string): string {
  return `${type} ${type === "dns" ? asciiLowerCase(value) : value}`;
}

function isUri(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(name);
}
