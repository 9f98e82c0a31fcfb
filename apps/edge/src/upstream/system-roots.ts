// The certificate authorities of the machine: the first bundle found where distributions keep it, else those Node was built with.
import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";

const bundles = [
  // Debian, Ubuntu, Alpine, Arch; Fedora and RHEL; openSUSE.
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
];

let roots: string[] | null = null;

/** PEM texts; read once. `SSL_CERT_FILE` names another bundle, as for OpenSSL. */
export function systemRoots(): string[] {
  roots ??= [readFirst([process.env["SSL_CERT_FILE"] ?? "", ...bundles]) ?? rootCertificates.join("\n")];
  return roots;
}

function readFirst(paths: readonly string[]): string | null {
  for (const path of paths) {
    if (path === "") continue;
    try {
      return readFileSync(path, "latin1");
    } catch {
      // Not this distribution.
    }
  }
  return null;
}
