// Where a server's certificate and client CA come from, and what each TLS mode needs (istio-semantics 1.1).
import type { FieldPath, ServerTlsSettings } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { credentialNameProblem } from "./credential-names.ts";
import type { Reporter } from "./reporter.ts";

/** The rules for the settings of a server that has the protocol HTTPS or TLS. */
export function checkCertificateSources(tls: ServerTlsSettings, path: FieldPath, reporter: Reporter): void {
  checkExclusiveSources(tls, path, reporter);
  checkCredentialNames(tls, path, reporter);
  checkPins(tls, path, reporter);
  const mode = tls.mode ?? "PASSTHROUGH";
  if (mode === "PASSTHROUGH") {
    warnIneffective(tls, [...serverFields, ...clientFields, ...handshakeFields], {
      path,
      reporter,
      because: passthroughReason(tls),
    });
    return;
  }
  const hasCredential = isSet(tls.credentialName) || (tls.credentialNames ?? []).length > 0;
  if (!hasCredential) requireFiles(tls, path, reporter);
  checkCrl(tls, hasCredential, path, reporter);
  if (mode === "SIMPLE") {
    const because =
      "in the mode SIMPLE clients are not asked for a certificate; for that write MUTUAL or OPTIONAL_MUTUAL";
    warnIneffective(tls, clientFields, { path, reporter, because });
  } else if (!hasCredential && isSet(tls.caCertCredentialName)) {
    const because = "it is only read together with credentialName or credentialNames";
    warnIneffective(tls, ["caCertCredentialName"], { path, reporter, because });
  }
}

type TlsField = keyof ServerTlsSettings;

const serverFields: readonly TlsField[] = [
  "serverCertificate",
  "privateKey",
  "credentialName",
  "credentialNames",
  "tlsCertificates",
];

/** Settings about the client's certificate. `caCrl` is missing: with SIMPLE it is an error. */
const clientFields: readonly TlsField[] = [
  "caCertificates",
  "caCertCredentialName",
  "subjectAltNames",
  "verifyCertificateSpki",
  "verifyCertificateHash",
  "insecureSkipVerify",
];

/** Settings that only a server which ends TLS itself can keep. `caCrl` has a rule of its own with the other modes. */
const handshakeFields: readonly TlsField[] = [
  "minProtocolVersion",
  "maxProtocolVersion",
  "cipherSuites",
  "ecdhCurves",
  "caCrl",
];

function passthroughReason({ mode }: ServerTlsSettings): string {
  const reason = "in the mode PASSTHROUGH the connection is not decrypted here";
  return mode === undefined ? `without a mode, TLS is passed through: ${reason}` : reason;
}

interface Ineffective {
  readonly path: FieldPath;
  readonly reporter: Reporter;
  readonly because: string;
}

function warnIneffective(
  tls: ServerTlsSettings,
  fields: readonly TlsField[],
  { path, reporter, because }: Ineffective,
): void {
  for (const field of fields) {
    const value = tls[field];
    if (!isSet(value)) continue;
    const hint = tls.mode === undefined ? 'Is "mode: SIMPLE" missing?' : undefined;
    const message = `${field} has no effect: ${because}`;
    reporter.warning({ code: "ineffective-field", path: [...path, field], message, hint });
  }
}

function checkExclusiveSources(tls: ServerTlsSettings, path: FieldPath, reporter: Reporter): void {
  const hasFiles = isSet(tls.serverCertificate) || isSet(tls.privateKey);
  const sources = [
    ...(hasFiles ? ["serverCertificate and privateKey"] : []),
    ...(["credentialName", "credentialNames", "tlsCertificates"] as const).filter((field) => isSet(tls[field])),
  ];
  if (sources.length < 2) return;
  const message = `only one source of the certificate may be named; found ${sources.join("; ")}`;
  reporter.error({ code: "conflicting-fields", path, message });
}

function requireFiles(tls: ServerTlsSettings, path: FieldPath, reporter: Reporter): void {
  const mode = tls.mode ?? "PASSTHROUGH";
  const pairs = tls.tlsCertificates ?? [tls];
  for (const [index, pair] of pairs.entries()) {
    const at = tls.tlsCertificates === undefined ? path : [...path, "tlsCertificates", index];
    for (const field of ["serverCertificate", "privateKey"] as const) {
      if (isSet(pair[field])) continue;
      const message = `the mode ${mode} needs ${field}`;
      const hint = "Name the files of the certificate and its key, or a Secret under credentialName.";
      reporter.error({ code: "missing-certificate", path: [...at, field], message, hint });
    }
  }
  checkClientCa(tls, path, reporter);
}

// Istio reads the authority of clients beside `tlsCertificates` only. Taking what stands inside for one would trust for both certificates whom
// the operator trusted for one; ignoring it in silence would refuse every client.
function checkClientCa(tls: ServerTlsSettings, path: FieldPath, reporter: Reporter): void {
  const mode = tls.mode ?? "PASSTHROUGH";
  const needsCa = mode === "MUTUAL" || mode === "OPTIONAL_MUTUAL";
  const inside = (tls.tlsCertificates ?? []).findIndex((pair) => isSet(pair.caCertificates));
  if (needsCa && !isSet(tls.caCertificates)) {
    const message = `the mode ${mode} needs caCertificates`;
    const hint =
      inside < 0
        ? "Name the file with the authorities that sign the client certificates."
        : "It is read beside tlsCertificates, not inside: move it there.";
    return reporter.error({ code: "missing-certificate", path: [...path, "caCertificates"], message, hint });
  }
  if (inside < 0) return;
  const message = "caCertificates has no effect inside tlsCertificates: all of them share the one beside it";
  const at = [...path, "tlsCertificates", inside, "caCertificates"];
  reporter.warning({ code: "ineffective-field", path: at, message });
}

function checkCrl(tls: ServerTlsSettings, hasCredential: boolean, path: FieldPath, reporter: Reporter): void {
  if (!isSet(tls.caCrl)) return;
  const complain = (message: string): void => {
    reporter.error({ code: "conflicting-fields", path: [...path, "caCrl"], message });
  };
  if (tls.mode === "SIMPLE") complain("caCrl is about client certificates, and in the mode SIMPLE there are none");
  else if (hasCredential) complain("with a credentialName the revocation list belongs into the Secret, under ca.crl");
}

function checkCredentialNames(tls: ServerTlsSettings, path: FieldPath, reporter: Reporter): void {
  const names: [string, FieldPath][] = [];
  for (const field of ["credentialName", "caCertCredentialName"] as const) {
    const name = tls[field];
    if (name !== undefined && name !== "") names.push([name, [...path, field]]);
  }
  for (const [index, name] of (tls.credentialNames ?? []).entries()) {
    names.push([name, [...path, "credentialNames", index]]);
  }
  for (const [name, at] of names) {
    const problem = credentialNameProblem(name);
    if (problem !== null) reporter.error({ code: "invalid-credential-name", path: at, ...problem });
  }
}

function checkPins(tls: ServerTlsSettings, path: FieldPath, reporter: Reporter): void {
  for (const [index, pin] of (tls.verifyCertificateSpki ?? []).entries()) {
    if (/^[A-Za-z0-9+/]{43}=$/.test(pin)) continue;
    const message = `${quote(pin)} is not the base64 of a SHA-256 hash (44 characters)`;
    reporter.error({ code: "invalid-certificate-pin", path: [...path, "verifyCertificateSpki", index], message });
  }
  for (const [index, pin] of (tls.verifyCertificateHash ?? []).entries()) {
    if (/^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){31})$/.test(pin)) continue;
    const message = `${quote(pin)} is not a SHA-256 hash in hexadecimal (64 digits, with or without colons)`;
    reporter.error({ code: "invalid-certificate-pin", path: [...path, "verifyCertificateHash", index], message });
  }
}

function isSet(value: ServerTlsSettings[TlsField]): boolean {
  return value !== undefined && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0);
}
