// `trafficPolicy.tls`: TLS towards an upstream, its schema and which settings go together (istio-semantics 1.3).
import { z } from "zod";
import type { ClientTlsSettings, FieldPath } from "../model/index.ts";
import { credentialNameProblem } from "./credential-names.ts";
import { text, textList } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

export const clientTls: z.ZodType<ClientTlsSettings> = z.strictObject({
  mode: z.enum(["DISABLE", "SIMPLE", "MUTUAL"]).optional(),
  clientCertificate: text.optional(),
  privateKey: text.optional(),
  caCertificates: text.optional(),
  caCrl: text.optional(),
  credentialName: text.optional(),
  subjectAltNames: textList.optional(),
  sni: text.optional(),
  insecureSkipVerify: z.boolean().optional(),
});

type Field = keyof ClientTlsSettings;

const certificateFields: readonly Field[] = ["clientCertificate", "privateKey"];
const trustFields: readonly Field[] = ["caCertificates", "caCrl", "subjectAltNames"];

/** The rules for one `tls` block. */
export function checkClientTls(tls: ClientTlsSettings, path: FieldPath, reporter: Reporter): void {
  // DISABLE is protobuf's zero value: what a block without a mode means.
  if (tls.mode === undefined || tls.mode === "DISABLE") return warnDisabled(tls, path, reporter);
  if (isSet(tls.credentialName)) checkCredential(tls, path, reporter);
  else if (tls.mode === "MUTUAL") requireCertificate(tls, path, reporter);
  if (tls.mode === "SIMPLE") {
    for (const field of certificateFields.filter((name) => isSet(tls[name]))) {
      const message = `${field} has no effect: in the mode SIMPLE no client certificate is presented`;
      reporter.warning({ code: "ineffective-field", path: [...path, field], message, hint: "Write mode: MUTUAL." });
    }
  }
  if (tls.insecureSkipVerify === true) judgeSkippedVerification(tls, path, reporter);
}

function judgeSkippedVerification(tls: ClientTlsSettings, path: FieldPath, reporter: Reporter): void {
  if (refuseUnusedTrust(tls, path, reporter)) return;
  const message = "nobody checks who the upstream is: whoever can answer at its address can read and change everything";
  const hint = "Name the authority under caCertificates or credentialName instead.";
  reporter.warning({ code: "no-server-verification", path: [...path, "insecureSkipVerify"], message, hint });
}

function warnDisabled(tls: ClientTlsSettings, path: FieldPath, reporter: Reporter): void {
  const unused = (Object.keys(tls) as Field[]).filter((field) => field !== "mode" && isSet(tls[field]));
  for (const field of unused) {
    const why = tls.mode === undefined ? "without a mode TLS is off" : "in the mode DISABLE there is no TLS";
    const hint = tls.mode === undefined ? 'Is "mode: SIMPLE" missing?' : undefined;
    const message = `${field} has no effect: ${why}`;
    reporter.warning({ code: "ineffective-field", path: [...path, field], message, hint });
  }
}

function checkCredential(tls: ClientTlsSettings, path: FieldPath, reporter: Reporter): void {
  const problem = credentialNameProblem(tls.credentialName ?? "");
  if (problem !== null) {
    reporter.error({ code: "invalid-credential-name", path: [...path, "credentialName"], ...problem });
  }
  for (const field of [...certificateFields, "caCertificates", "caCrl"] as const) {
    if (!isSet(tls[field])) continue;
    const message = `credentialName and ${field} both say where certificates come from`;
    reporter.error({ code: "conflicting-fields", path: [...path, field], message, hint: "Keep one of the two." });
  }
}

function requireCertificate(tls: ClientTlsSettings, path: FieldPath, reporter: Reporter): void {
  for (const field of ["clientCertificate", "privateKey"] as const) {
    if (isSet(tls[field])) continue;
    const message = `the mode MUTUAL needs ${field}`;
    const hint = "Name the files of the certificate and its key, or a Secret under credentialName.";
    reporter.error({ code: "missing-certificate", path: [...path, field], message, hint });
  }
}

/** Istio's rule: naming whom to trust and then trusting everyone is a contradiction that must not be resolved silently. */
function refuseUnusedTrust(tls: ClientTlsSettings, path: FieldPath, reporter: Reporter): boolean {
  const fields: readonly Field[] = tls.mode === "SIMPLE" ? [...trustFields, "credentialName"] : trustFields;
  const unused = fields.filter((name) => isSet(tls[name]));
  for (const field of unused) {
    const message = `insecureSkipVerify accepts every certificate, and ${field} says which to accept`;
    reporter.error({ code: "conflicting-fields", path: [...path, field], message, hint: "Keep one of the two." });
  }
  return unused.length > 0;
}

function isSet(value: ClientTlsSettings[Field]): boolean {
  return value !== undefined && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0);
}
