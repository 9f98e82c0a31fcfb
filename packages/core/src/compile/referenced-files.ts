// Which certificate files a configuration names, so that the caller can read them before it compiles.
import type { ResourceSet } from "../model/index.ts";

/** Paths of the certificates, keys, CAs and CRLs that Gateways and DestinationRules name, used or not; sorted, each once. */
export function referencedFiles(resources: ResourceSet): readonly string[] {
  const paths = new Set<string | undefined>();
  for (const gateway of resources.gateways) {
    for (const { tls } of gateway.spec.servers) {
      paths.add(tls?.serverCertificate).add(tls?.privateKey).add(tls?.caCertificates).add(tls?.caCrl);
      for (const pair of tls?.tlsCertificates ?? []) paths.add(pair.serverCertificate).add(pair.privateKey);
    }
  }
  for (const { spec } of resources.destinationRules) {
    for (const { tls } of [spec.trafficPolicy, ...(spec.trafficPolicy?.portLevelSettings ?? [])].map(
      (policy) => policy ?? {},
    )) {
      paths.add(tls?.clientCertificate).add(tls?.privateKey).add(tls?.caCertificates).add(tls?.caCrl);
    }
  }
  return [...paths].filter((path): path is string => path !== undefined && path !== "").toSorted();
}
