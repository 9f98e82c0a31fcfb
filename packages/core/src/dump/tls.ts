// The TLS context of a filter chain, as either dialect prints it. Certificates are named, never printed.
import type { CertificateRef, ClientValidation, TlsContext, TlsVersion } from "../model/index.ts";
import { type JsonObject, nonEmpty, optional, typeUrl } from "./json.ts";

/** Today's shape: a transport socket. Secrets by name, files by their path. */
export function transportSocket(tls: TlsContext): JsonObject {
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: {
      ...typeUrl("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
      commonTlsContext: {
        tlsParams: {
          tlsMinimumProtocolVersion: envoyVersion(tls.minVersion),
          tlsMaximumProtocolVersion: envoyVersion(tls.maxVersion),
          ...nonEmpty("cipherSuites", tls.cipherSuites),
          ...nonEmpty("ecdhCurves", tls.ecdhCurves),
        },
        ...certificates(tls.certificates),
        ...(tls.clientValidation === null ? {} : validation(tls.clientValidation)),
        ...nonEmpty("alpnProtocols", tls.alpn),
      },
      requireClientCertificate: tls.mode === "MUTUAL",
    },
  };
}

/** The shape of 1.0. What it could not express (hashes, several certificates from secrets) is printed in its style. */
export function legacyTlsContext(tls: TlsContext): JsonObject {
  const { clientValidation } = tls;
  return {
    commonTlsContext: {
      ...certificates(tls.certificates),
      ...(clientValidation === null ? {} : { validationContext: legacyValidation(clientValidation) }),
      ...nonEmpty("alpnProtocols", tls.alpn),
    },
    requireClientCertificate: tls.mode === "MUTUAL",
  };
}

function certificates(references: readonly CertificateRef[]): JsonObject {
  const files = references.flatMap(({ files: pair }) => (pair === null ? [] : [pair]));
  const secrets = references.flatMap(({ files: pair, secret }) => (pair === null ? [sdsSecret(secret)] : []));
  return {
    ...nonEmpty(
      "tlsCertificates",
      files.map(({ certificateChain, privateKey }) => ({
        certificateChain: { filename: certificateChain },
        privateKey: { filename: privateKey },
      })),
    ),
    ...nonEmpty("tlsCertificateSdsSecretConfigs", secrets),
  };
}

function validation(settings: ClientValidation): JsonObject {
  const checks = {
    ...nonEmpty("verifyCertificateSpki", settings.spkiHashes),
    ...nonEmpty("verifyCertificateHash", settings.certificateHashes),
    ...nonEmpty(
      "matchSubjectAltNames",
      settings.subjectAltNames.map((exact) => ({ exact })),
    ),
    ...(settings.acceptUntrusted ? { trustChainVerification: "ACCEPT_UNTRUSTED" } : {}),
  };
  if (settings.trustedCa === null || settings.trustedCaFile !== null) {
    return { validationContext: { ...trustedFiles(settings), ...checks } };
  }
  return {
    combinedValidationContext: {
      defaultValidationContext: checks,
      validationContextSdsSecretConfig: sdsSecret(settings.trustedCa),
    },
  };
}

function legacyValidation(settings: ClientValidation): JsonObject {
  const fromSecret = settings.trustedCa !== null && settings.trustedCaFile === null;
  return {
    ...trustedFiles(settings),
    ...(fromSecret ? { trustedCa: { sds: settings.trustedCa } } : {}),
    ...nonEmpty("verifyCertificateSpki", settings.spkiHashes),
    ...nonEmpty("verifyCertificateHash", settings.certificateHashes),
    ...nonEmpty("verifySubjectAltName", settings.subjectAltNames),
  };
}

function trustedFiles({ trustedCaFile, crlFile }: ClientValidation): JsonObject {
  return {
    ...optional("trustedCa", trustedCaFile === null ? null : { filename: trustedCaFile }),
    ...optional("crl", crlFile === null ? null : { filename: crlFile }),
  };
}

/** A secret by name, wherever it comes from. */
export function sdsSecret(name: string): JsonObject {
  return { name, sdsConfig: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" } };
}

function envoyVersion(version: TlsVersion): string {
  return version.replace(".", "_");
}
