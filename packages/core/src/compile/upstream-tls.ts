// From a DestinationRule's `tls` block to the TLS of a cluster (istio-semantics 1.3 and 2.7).
import type { ClientTlsSettings, UpstreamTls } from "../model/index.ts";
import type { SitedTls } from "./effective-policy.ts";
import type { Site } from "./findings.ts";
import type { SecretCollector } from "./secrets.ts";

interface TlsScope {
  readonly secrets: SecretCollector;
  /** A ServiceEntry's `subjectAltNames`, which count where the rule names none. */
  readonly entrySans: readonly string[];
}

/** The mode is SIMPLE or MUTUAL. Whatever is named and not there keeps its place, so that the edge can fail closed. */
export function buildUpstreamTls(
  { settings: tls, site: { resource, path } }: SitedTls,
  { secrets, entrySans }: TlsScope,
): UpstreamTls {
  const site = (field: string): Site => ({ resource, path: [...path, field] });
  const isMutual = tls.mode === "MUTUAL";
  const acceptsUntrusted = tls.insecureSkipVerify === true;
  const named = tls.subjectAltNames ?? [];
  return {
    certificate: isMutual ? findCertificate(tls, secrets, site) : null,
    // Nobody asks whom to trust where everyone is accepted; a Secret with a client certificate only is complete then.
    ...(acceptsUntrusted ? { trustedCa: null, crl: null } : findTrust(tls, secrets, site)),
    sni: tls.sni ?? "",
    subjectAltNames: acceptsUntrusted ? [] : named.length > 0 ? named : entrySans,
    acceptsUntrusted,
  };
}

function findCertificate(tls: ClientTlsSettings, secrets: SecretCollector, site: (field: string) => Site): string {
  if (isSet(tls.credentialName)) return secrets.certificate(tls.credentialName, site("credentialName")).name;
  const chain = { path: tls.clientCertificate ?? "", site: site("clientCertificate") };
  return secrets.certificateFiles(chain, { path: tls.privateKey ?? "", site: site("privateKey") }).name;
}

function findTrust(
  tls: ClientTlsSettings,
  secrets: SecretCollector,
  site: (field: string) => Site,
): Pick<UpstreamTls, "trustedCa" | "crl"> {
  if (isSet(tls.credentialName)) {
    const ca = secrets.trustedCa(tls.credentialName, site("credentialName"));
    return { trustedCa: ca.name, crl: ca.crl === null ? null : ca.name };
  }
  return {
    trustedCa: isSet(tls.caCertificates)
      ? secrets.trustedCaFile(tls.caCertificates, site("caCertificates")).name
      : null,
    crl: isSet(tls.caCrl) ? secrets.crlFile(tls.caCrl, site("caCrl")).name : null,
  };
}

/** In Istio an empty text is the same as none. */
function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}
