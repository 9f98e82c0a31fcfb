// From a server's `tls` block to the TLS context of its filter chain (istio-semantics 1.1 and 2.7).
import type {
  CertificateRef,
  ClientValidation,
  GatewayServer,
  ServerTlsSettings,
  TlsContext,
  TlsProtocolName,
  TlsVersion,
} from "../model/index.ts";
import type { Site } from "./findings.ts";
import { type BoundServer, serverSite } from "./gateways.ts";
import type { SecretCollector } from "./secrets.ts";

/** A server's `tls` block, and how to name its fields. */
interface TlsBlock {
  readonly tls: ServerTlsSettings;
  readonly mode: TlsContext["mode"];
  readonly secrets: SecretCollector;
  readonly site: (...path: (string | number)[]) => Site;
}

/** True when the server ends TLS itself: what is inside is HTTP (protocol HTTPS) or TCP (TLS). */
export function terminatesTls(tls: ServerTlsSettings | undefined): boolean {
  return tls?.mode !== undefined && tls.mode !== "PASSTHROUGH";
}

/** True when `tcp` rules lead on what is inside the TLS that the server ends. */
export function carriesTcp({ port, tls }: GatewayServer): boolean {
  return port.protocol === "TLS" && terminatesTls(tls);
}

/** The TLS context of a server that ends TLS. `alpn` is what its chain offers. */
export function buildTlsContext(bound: BoundServer, alpn: TlsContext["alpn"], secrets: SecretCollector): TlsContext {
  const tls = withoutEmptyFields(bound.server.tls ?? {});
  const { resource, path } = serverSite(bound);
  const mode = tls.mode === "MUTUAL" || tls.mode === "OPTIONAL_MUTUAL" ? tls.mode : "SIMPLE";
  const block: TlsBlock = { tls, mode, secrets, site: (...steps) => ({ resource, path: [...path, "tls", ...steps] }) };
  return {
    mode,
    certificates: findCertificates(block),
    clientValidation: buildClientValidation(block),
    alpn,
    minVersion: toTlsVersion(tls.minProtocolVersion, "TLSv1.2"),
    maxVersion: toTlsVersion(tls.maxProtocolVersion, "TLSv1.3"),
    cipherSuites: [...new Set(tls.cipherSuites)],
    ecdhCurves: [...new Set(tls.ecdhCurves)],
  };
}

/** In Istio an empty text or list is the same as none: `caCertificates: ""` names no CA. */
function withoutEmptyFields(tls: ServerTlsSettings): ServerTlsSettings {
  const isEmpty = (value: unknown): boolean => value === "" || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => !isEmpty(value)));
}

function findCertificates({ tls, secrets, site }: TlsBlock): readonly CertificateRef[] {
  const fromSecret = (name: string, ...path: (string | number)[]): CertificateRef => ({
    secret: secrets.certificate(name, site(...path)).name,
    files: null,
  });
  if (tls.credentialNames !== undefined) {
    return tls.credentialNames.map((name, index) => fromSecret(name, "credentialNames", index));
  }
  if (tls.credentialName !== undefined) return [fromSecret(tls.credentialName, "credentialName")];
  if (tls.tlsCertificates !== undefined) {
    return tls.tlsCertificates.map((pair, index) =>
      fromFiles(pair, secrets, (field) => site("tlsCertificates", index, field)),
    );
  }
  return [fromFiles(tls, secrets, (field) => site(field))];
}

function fromFiles(
  pair: { readonly serverCertificate?: string | undefined; readonly privateKey?: string | undefined },
  secrets: SecretCollector,
  site: (field: "serverCertificate" | "privateKey") => Site,
): CertificateRef {
  const certificateChain = pair.serverCertificate ?? "";
  const privateKey = pair.privateKey ?? "";
  const { name } = secrets.certificateFiles(
    { path: certificateChain, site: site("serverCertificate") },
    { path: privateKey, site: site("privateKey") },
  );
  return { secret: name, files: { certificateChain, privateKey } };
}

// Fail closed: a mode that checks client certificates always has a validation, even when what it names is missing. SPKI and
// certificate hashes count whichever way the certificates are given; Istio silently ignores them beside file paths,
// which lets in clients that the operator meant to keep out.
function buildClientValidation(block: TlsBlock): ClientValidation | null {
  const { tls, mode } = block;
  if (mode === "SIMPLE") return null;
  return {
    ...findTrust(block),
    subjectAltNames: tls.subjectAltNames ?? [],
    spkiHashes: tls.verifyCertificateSpki ?? [],
    certificateHashes: (tls.verifyCertificateHash ?? []).map((hash) => hash.replaceAll(":", "").toLowerCase()),
    acceptUntrusted: tls.insecureSkipVerify === true,
  };
}

type Trust = Pick<ClientValidation, "trustedCa" | "trustedCaFile" | "crl" | "crlFile">;

function findTrust({ tls, secrets, site }: TlsBlock): Trust {
  const credential = nameTrustCredential(tls);
  if (credential !== null) {
    const ca = secrets.trustedCa(credential.name, site(...credential.path));
    return { trustedCa: ca.name, trustedCaFile: null, crl: ca.crl === null ? null : ca.name, crlFile: null };
  }
  const trustedCaFile = tls.caCertificates ?? null;
  const crlFile = tls.caCrl ?? null;
  return {
    trustedCa: trustedCaFile === null ? null : secrets.trustedCaFile(trustedCaFile, site("caCertificates")).name,
    trustedCaFile,
    crl: crlFile === null ? null : secrets.crlFile(crlFile, site("caCrl")).name,
    crlFile,
  };
}

/** `caCertCredentialName` wins over what belongs to the server's own credential, and counts only beside one. */
function nameTrustCredential(
  tls: ServerTlsSettings,
): { readonly name: string; readonly path: readonly (string | number)[] } | null {
  const own = tls.credentialNames?.[0] ?? tls.credentialName;
  if (own === undefined) return null;
  if (tls.caCertCredentialName !== undefined) return { name: tls.caCertCredentialName, path: ["caCertCredentialName"] };
  return { name: own, path: tls.credentialNames === undefined ? ["credentialName"] : ["credentialNames", 0] };
}

function toTlsVersion(name: TlsProtocolName | undefined, byDefault: TlsVersion): TlsVersion {
  switch (name) {
    case undefined:
    case "TLS_AUTO":
      return byDefault;
    case "TLSV1_0":
      return "TLSv1.0";
    case "TLSV1_1":
      return "TLSv1.1";
    case "TLSV1_2":
      return "TLSv1.2";
    case "TLSV1_3":
      return "TLSv1.3";
  }
}
