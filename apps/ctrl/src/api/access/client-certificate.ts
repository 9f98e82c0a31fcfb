// From a client certificate that the CA vouches for to a caller.
import type { PeerCertificate } from "node:tls";
import { certificateHasName } from "@sluice/core/match";
import type { Caller, Role } from "./access.ts";

const commonNamePrefix = "CN=";

/** The first listed name that the certificate has; null when it has none of them. */
export function identifyCertificate(
  certificate: PeerCertificate,
  clients: readonly { readonly name: string; readonly role: Role }[],
): Caller | null {
  const found = clients.find(({ name }) => hasName(certificate, name));
  return found === undefined ? null : { name: found.name, role: found.role };
}

/** Alternative names are read from their own fields, never from the joined text, into which a value can forge another. */
function hasName({ raw, subject }: PeerCertificate, name: string): boolean {
  if (!name.startsWith(commonNamePrefix)) return certificateHasName(raw, [name]);
  // Several common names make a list, which equals no text.
  return subject.CN === name.slice(commonNamePrefix.length);
}
