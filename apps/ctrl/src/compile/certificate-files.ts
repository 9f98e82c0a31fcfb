// The certificate files that Gateways name, read from this machine's disk.
import { resolve } from "node:path";
import { isText, readText } from "../source/read-text.ts";
import { signatureOf } from "../source/signature.ts";

/** Bundles of every public authority are a quarter of this. */
const maxCertificateFileBytes = 1024 * 1024;

export interface CertificateFiles {
  /** By the path as the Gateway names it; null: missing, unreadable or too large. */
  readonly contents: ReadonlyMap<string, string | null>;
  /** Signature by absolute path, taken before reading, for `DirectorySource.watchFiles`. */
  readonly signatures: ReadonlyMap<string, string>;
}

/** Reads the files, symbolic links followed. Never throws. */
export async function readCertificateFiles(paths: Iterable<string>, baseDirectory: string): Promise<CertificateFiles> {
  const contents = new Map<string, string | null>();
  const signatures = new Map<string, string>();
  for (const path of paths) {
    const absolute = resolve(baseDirectory, path);
    signatures.set(absolute, await signatureOf(absolute));
    const result = await readText(absolute, maxCertificateFileBytes);
    contents.set(path, result !== null && isText(result) ? result.text : null);
  }
  return { contents, signatures };
}
