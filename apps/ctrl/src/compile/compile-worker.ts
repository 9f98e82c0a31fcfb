// The compile thread: a configuration in, an encoded table out, so that the control plane answers its API and its edges meanwhile.
import { createHash } from "node:crypto";
import type { Diagnostic } from "@sluice/core/model";
import { decodeTable, encodeTable } from "@sluice/core/wire";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { type Configuration, type GatewayOptions, readConfiguration } from "./configuration.ts";
import type { Origins } from "./origins.ts";
import { type PackedTable, packTable, unpackTable } from "./table-transfer.ts";

export { readDeclared, readPush } from "./documents.ts";

export interface CompileJob extends Origins {
  readonly baseDirectory: string;
  readonly gateway: GatewayOptions;
  /** The secrets of the running table: a certificate that is broken now keeps its former content. */
  readonly previousSecrets: PackedTable | null;
}

export interface CompileReply {
  readonly diagnostics: readonly Diagnostic[];
  readonly table: PackedTable | null;
  /** Signatures of the certificate files by absolute path. */
  readonly files: ReadonlyMap<string, string>;
  /** Changes with every text and every certificate. */
  readonly inputDigest: string;
  /** See `CompileResult`. */
  readonly recompileAtMs: number | null;
  /** `file:line` of every resource that the directory declares. */
  readonly declared: ReadonlyMap<string, string>;
}

/** Resolves, for piscina, with a `CompileReply` whose bytes are moved to the caller. */
export default async function compile(job: CompileJob): Promise<unknown> {
  const { previousSecrets, ...request } = job;
  const configuration = await readConfiguration({ ...request, previousSecrets: decodeSecrets(previousSecrets) });
  const { diagnostics, table, certificates, recompileAtMs } = configuration;
  const reply: CompileReply = {
    diagnostics,
    table: table === null ? null : packTable(encodeTable(table)),
    files: certificates.signatures,
    inputDigest: digestInput(job, configuration),
    recompileAtMs,
    declared: configuration.declared,
  };
  // `move` knows objects that name what is to be transferred; its type does not.
  const moved: unknown = {
    [valueSymbol]: reply,
    [transferableSymbol]: reply.table === null ? [] : [reply.table.bytes],
  };
  return move(moved as Parameters<typeof move>[0]);
}

function decodeSecrets(packed: PackedTable | null) {
  if (packed === null) return new Map();
  const { manifest, resources } = unpackTable(packed);
  const { table } = decodeTable(manifest, (digest) => resources.get(digest));
  return new Map(table.secrets.map((secret) => [secret.name, secret]));
}

function digestInput(job: CompileJob, { certificates }: Configuration): string {
  const hash = createHash("sha256");
  for (const { file, text } of job.texts) hash.update(JSON.stringify([file, text]));
  for (const { text } of job.stored ?? []) hash.update(text);
  if (job.pushed) hash.update(job.pushed.text);
  for (const entry of certificates.contents) hash.update(JSON.stringify(entry));
  return hash.digest("hex");
}
