// The certificate files of the demo: one authority, the servers and the clients of its five topologies.
import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority } from "./authority.ts";
import type { IssueOptions } from "./leaf.ts";

const renewBeforeMs = 7 * 24 * 60 * 60 * 1000;
const publicMode = 0o644;
const privateMode = 0o600;

/** Each becomes `<file name>.crt` and `<file name>.key`. */
const leaves: ReadonlyMap<string, IssueOptions> = new Map([
  [
    "istio-httpbin",
    {
      commonName: "httpbin.istio.local",
      dnsNames: ["localhost", "httpbin.istio.local", "app.istio.local"],
      ipAddresses: ["127.0.0.1"],
    },
  ],
  ["istio-is5", { commonName: "is5.istio.local", dnsNames: ["is5.istio.local"], client: true }],
  // Signed by the same authority, but on no list of accepted names: the client that mutual TLS must turn away.
  ["istio-other", { commonName: "other.istio.local", dnsNames: ["other.istio.local"], client: true }],
  ["httpbin-a", siteOptions("httpbin-a")],
  ["httpbin-b", siteOptions("httpbin-b")],
]);

function siteOptions(site: string): IssueOptions {
  const dnsNames = [`${site}.example`, `${site}.7cb9a9b7b318440399a0.eastus.aksapp.io`];
  return { commonName: `${site}.example`, dnsNames };
}

/**
 * Writes `ca.crt` and the demo's pairs of `.crt` and `.key` (mode 0600) into the directory, creating it where needed. When all are
 * there, belong together, carry their names and last for another seven days, nothing is touched; otherwise all are made anew, because the
 * authority's own key is not kept.
 */
export async function writeDemoCertificates(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (await areUsable(directory)) return;
  const authority = await createAuthority({ commonName: "Sluice demo authority" });
  await replaceFile(join(directory, "ca.crt"), authority.certificatePem, publicMode);
  for (const [fileName, options] of leaves) {
    const issued = await authority.issue(options);
    await replaceFile(join(directory, `${fileName}.key`), issued.keyPem, privateMode);
    await replaceFile(join(directory, `${fileName}.crt`), issued.chainPem, publicMode);
  }
}

/** Whole files only: a gateway watching the directory must never read half a key. */
async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode });
  await rename(temporary, path);
}

async function areUsable(directory: string): Promise<boolean> {
  try {
    const authority = new X509Certificate(await readFile(join(directory, "ca.crt")));
    if (isExpiring(authority)) return false;
    for (const [fileName, { dnsNames = [] }] of leaves) {
      const certificate = new X509Certificate(await readFile(join(directory, `${fileName}.crt`)));
      const key = createPrivateKey(await readFile(join(directory, `${fileName}.key`)));
      if (isExpiring(certificate) || !certificate.checkPrivateKey(key)) return false;
      // A writer that died half-way leaves leaves of two authorities behind.
      if (!certificate.verify(authority.publicKey)) return false;
      // Left by an older version of this list.
      if (!dnsNames.every((name) => certificate.checkHost(name) === name)) return false;
    }
    return true;
  } catch {
    // Absent, unreadable or no certificate at all: in every case the answer is to write them.
    return false;
  }
}

function isExpiring(certificate: X509Certificate): boolean {
  return Date.parse(certificate.validTo) - Date.now() < renewBeforeMs;
}
