// Keys and certificates of a run: one authority, a server's certificate for each algorithm, one for clients.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, type KeyAlgorithm } from "@sluice/demo/certificates";
import { hostName } from "./contender.ts";

export interface ServerFiles {
  readonly certificate: string;
  readonly key: string;
  /** Certificate and key in one file, for HAProxy. */
  readonly bundle: string;
  readonly ca: string;
}

/** Where the files of a server with such a key are. */
export function serverFiles(directory: string, algorithm: KeyAlgorithm): ServerFiles {
  const path = (suffix: string) => join(directory, `${algorithm}.${suffix}`);
  return { certificate: path("crt"), key: path("key"), bundle: path("pem"), ca: join(directory, "ca.crt") };
}

/** Where the files of a client are. */
export function clientFiles(directory: string): { readonly certificate: string; readonly key: string } {
  return { certificate: join(directory, "client.crt"), key: join(directory, "client.key") };
}

export async function writeCertificates(directory: string): Promise<void> {
  const authority = await createAuthority({ commonName: "bench" });
  for (const algorithm of ["ecdsa-p256", "rsa-2048"] as const) {
    const files = serverFiles(directory, algorithm);
    const dnsNames = [hostName(0)];
    const issued = await authority.issue({ commonName: "bench", dnsNames, ipAddresses: ["127.0.0.1"], algorithm });
    await writeFile(files.certificate, issued.chainPem);
    await writeFile(files.key, issued.keyPem, { mode: 0o600 });
    await writeFile(files.bundle, issued.chainPem + issued.keyPem, { mode: 0o600 });
  }
  const client = clientFiles(directory);
  const issued = await authority.issue({ commonName: "client", dnsNames: ["client.bench.example"], client: true });
  await writeFile(client.certificate, issued.chainPem);
  await writeFile(client.key, issued.keyPem, { mode: 0o600 });
  await writeFile(join(directory, "ca.crt"), authority.certificatePem);
}
