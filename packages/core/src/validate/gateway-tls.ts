// `servers[].tls`: its schema and which settings go together (istio-semantics 1.1).
import { z } from "zod";
import type { FieldPath, GatewayServer, ServerTlsSettings, TlsProtocolName } from "../model/index.ts";
import { checkCertificateSources } from "./gateway-certificates.ts";
import { knownCipherSuites, knownCurves } from "./openssl-names.ts";
import { text, textList } from "./primitives.ts";
import { didYouMean } from "../parse/near-miss.ts";
import { quote } from "../parse/finding.ts";
import type { DiagnosticCode } from "./codes.ts";
import type { Reporter } from "./reporter.ts";

const versions = ["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"] as const satisfies readonly TlsProtocolName[];

const certificateFiles = z.strictObject({
  serverCertificate: text.optional(),
  privateKey: text.optional(),
  caCertificates: text.optional(),
});

export const serverTls: z.ZodType<ServerTlsSettings> = z.strictObject({
  httpsRedirect: z.boolean().optional(),
  mode: z.enum(["PASSTHROUGH", "SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"]).optional(),
  serverCertificate: text.optional(),
  privateKey: text.optional(),
  caCertificates: text.optional(),
  caCrl: text.optional(),
  credentialName: text.optional(),
  credentialNames: z.array(text).min(1).max(2).optional(),
  tlsCertificates: z.array(certificateFiles).min(1).max(2).optional(),
  caCertCredentialName: text.optional(),
  subjectAltNames: textList.optional(),
  verifyCertificateSpki: textList.optional(),
  verifyCertificateHash: textList.optional(),
  minProtocolVersion: z.enum(versions).optional(),
  maxProtocolVersion: z.enum(versions).optional(),
  cipherSuites: textList.optional(),
  ecdhCurves: textList.optional(),
  insecureSkipVerify: z.boolean().optional(),
});

/** The rules for one server's TLS settings, given or absent. */
export function checkServerTls(server: GatewayServer, serverPath: FieldPath, reporter: Reporter): void {
  const { tls, port } = server;
  const path = [...serverPath, "tls"];
  if (port.protocol !== "HTTPS" && port.protocol !== "TLS") {
    if (tls !== undefined) checkPlaintextServer(server, tls, path, reporter);
    return;
  }
  if (tls === undefined) {
    const message = `a server with the protocol ${port.protocol} needs tls`;
    reporter.error({ code: "missing-tls", path, message, hint: "Add tls with a mode and certificates." });
    return;
  }
  if (tls.httpsRedirect === true) {
    const message = "httpsRedirect has no effect on a TLS server";
    const hint = "Set it on the HTTP server that is to redirect here.";
    reporter.warning({ code: "ineffective-field", path: [...path, "httpsRedirect"], message, hint });
  }
  checkCertificateSources(tls, path, reporter);
  checkVersions(tls, path, reporter);
}

/** Only `httpsRedirect` makes sense without TLS, and only where there is HTTP to redirect. */
function checkPlaintextServer(
  server: GatewayServer,
  tls: ServerTlsSettings,
  path: FieldPath,
  reporter: Reporter,
): void {
  const { protocol } = server.port;
  const isHttp = protocol !== "TCP" && protocol !== "MONGO";
  const isRedirectOnly = Object.entries(tls).every(
    ([field, value]) => isUnset(value) || (isHttp && field === "httpsRedirect") || value === "PASSTHROUGH",
  );
  if (isRedirectOnly) return;
  const message = `a server with the protocol ${protocol} cannot have TLS settings`;
  const hint = isHttp ? "Only tls.httpsRedirect is allowed here; for TLS write the protocol HTTPS." : undefined;
  reporter.error({ code: "tls-not-allowed", path, message, hint });
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0);
}

function checkVersions(tls: ServerTlsSettings, path: FieldPath, reporter: Reporter): void {
  const min = effectiveVersion(tls.minProtocolVersion, "TLSV1_2");
  const max = effectiveVersion(tls.maxProtocolVersion, "TLSV1_3");
  if (versions.indexOf(min) > versions.indexOf(max)) {
    const message = `the lowest version ${min} is above the highest ${max}`;
    const hint = tls.minProtocolVersion === undefined ? "Without minProtocolVersion it is TLSV1_2." : undefined;
    reporter.error({ code: "invalid-tls-versions", path: [...path, "maxProtocolVersion"], message, hint });
  } else if (versions.indexOf(min) < versions.indexOf("TLSV1_2") && (tls.cipherSuites ?? []).length === 0) {
    const message = `${min} is allowed, but no cipherSuites are named; the default ones need TLS 1.2`;
    reporter.warning({ code: "weak-tls-version", path: [...path, "minProtocolVersion"], message });
  }
}

function effectiveVersion(version: TlsProtocolName | undefined, automatic: TlsProtocolName): TlsProtocolName {
  return version === undefined || version === "TLS_AUTO" ? automatic : version;
}

/** The server without the cipher suites and curves that this machine's OpenSSL cannot use; each one dropped is a warning. */
export function withUsableTlsLists(server: GatewayServer, serverPath: FieldPath, reporter: Reporter): GatewayServer {
  const { tls } = server;
  if (tls === undefined || (tls.cipherSuites === undefined && tls.ecdhCurves === undefined)) return server;
  const path = [...serverPath, "tls"];
  const keep = (field: "cipherSuites" | "ecdhCurves", known: ReadonlySet<string>, code: DiagnosticCode) =>
    dropUnknown(tls[field] ?? [], { path: [...path, field], known, code, reporter });
  return {
    ...server,
    tls: {
      ...tls,
      cipherSuites: keep("cipherSuites", knownCipherSuites, "unknown-cipher-suite"),
      ecdhCurves: keep("ecdhCurves", knownCurves, "unknown-ecdh-curve"),
    },
  };
}

interface DropRule {
  readonly path: FieldPath;
  readonly known: ReadonlySet<string>;
  readonly code: DiagnosticCode;
  readonly reporter: Reporter;
}

function dropUnknown(names: readonly string[], { path, known, code, reporter }: DropRule): readonly string[] {
  const kept = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (known.has(name) && !kept.has(name)) kept.add(name);
    else {
      const reason = kept.has(name) ? "is named twice" : "is not known to this machine's OpenSSL";
      const hint = kept.has(name) ? undefined : didYouMean(name, known);
      reporter.warning({ code, path: [...path, index], message: `${quote(name)} ${reason}; it is dropped`, hint });
    }
  }
  return [...kept];
}
