// Certificates for uWebSockets.js, which reads them from files only, and does not say whether it could.
import { createHash } from "node:crypto";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FilterChain } from "@sluice/core/model";
import type { ListenerSpec } from "../listener.ts";
import type { UwsModule } from "./load.ts";
import type { AppOptions } from "./native.ts";

/** A certificate and its key, ready to be served. */
export interface ServableCertificate {
  readonly digest: string;
  readonly chainPem: string;
  readonly keyPem: string;
}

/** Memory, so that keys never reach a disk, where the system has such a directory. */
const memoryDirectory = "/dev/shm";

/**
 * Calls `use` with the files' names. They exist for the time of the call only, readable by this user only.
 * Returns what `use` returns and throws what it throws.
 */
export function withKeyFiles<T>(certificate: ServableCertificate, use: (options: AppOptions) => T): T {
  const directory = mkdtempSync(join(hasMemoryDirectory() ? memoryDirectory : tmpdir(), "sluice-"));
  try {
    const certificateFile = join(directory, "certificate.pem");
    const keyFile = join(directory, "key.pem");
    writeFileSync(certificateFile, certificate.chainPem, { mode: 0o600, flag: "wx" });
    writeFileSync(keyFile, certificate.keyPem, { mode: 0o600, flag: "wx" });
    return use({ cert_file_name: certificateFile, key_file_name: keyFile });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function hasMemoryDirectory(): boolean {
  try {
    accessSync(memoryDirectory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Digests of certificates that uWebSockets.js has been asked about, and whether it takes them. */
const verdicts = new Map<string, boolean>();

/**
 * The certificate of a chain, or null when the chain must refuse connections: its secret is missing, invalid or not what the
 * engine can load. Asks the engine itself, because `addServerName` swallows the failure, and the default certificate would
 * answer in the chain's place; the constructor of an app reports it. An app costs 34 KB and is never freed, hence the memory.
 */
export function servableCertificate(
  uws: UwsModule,
  chain: FilterChain,
  spec: ListenerSpec,
): ServableCertificate | null {
  const name = chain.tls?.certificates[0]?.secret;
  const resource = name === undefined ? null : spec.secret(name);
  if (resource === null || resource.status !== "ready") return null;
  const { certificateChain: chainPem, privateKey } = resource;
  if (chainPem === null || privateKey === null) return null;
  const keyPem = privateKey.reveal();
  const digest = createHash("sha256").update(chainPem).update("\0").update(keyPem).digest("hex");
  const certificate = { digest, chainPem, keyPem };
  let isServable = verdicts.get(digest);
  if (isServable === undefined) {
    isServable = canLoad(uws, certificate);
    verdicts.set(digest, isServable);
  }
  return isServable ? certificate : null;
}

function canLoad(uws: UwsModule, certificate: ServableCertificate): boolean {
  try {
    withKeyFiles(certificate, (options) => uws.SSLApp(options));
    return true;
  } catch {
    return false;
  }
}
