// The compile thread: a change of the configuration in, a change of the table out, so that the control plane answers its API and its edges
// meanwhile. The thread remembers what it read and made last; when it dies, the next one begins with nothing and is told everything.
import { createHash } from "node:crypto";
import type { Diagnostic } from "@sluice/core/model";
import { decodeTable, type EncodedTable, encodeTable } from "@sluice/core/wire";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { type Configuration, type GatewayOptions, readConfiguration } from "./configuration.ts";
import { ConfigurationMemory } from "./configuration-memory.ts";
import { HeldInputs, type InputsDelta } from "./inputs-delta.ts";
import type { Origins } from "./origins.ts";
import { type PackedTable, packTable, unpackTable } from "./table-transfer.ts";

export interface CompileJob extends Omit<Origins, "texts" | "stored"> {
  readonly inputs: InputsDelta;
  /** Of the table that the caller got last, and still has. */
  readonly heldVersion: string | null;
  /** The caller has what the job before declared. */
  readonly holdsDeclared: boolean;
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
  /** `file:line` of every resource that the directory declares; null: as in the reply before. */
  readonly declared: ReadonlyMap<string, string> | null;
}

/** The job changes inputs that this thread never had. */
export const forgotten = "forgotten";

const held = new HeldInputs();
const memory = new ConfigurationMemory();
/** The table that was sent last. */
let sent: EncodedTable | null = null;
let declaredBefore: ReadonlyMap<string, string> | null = null;

/** Resolves, for piscina, with a `CompileReply` whose bytes are moved to the caller, or with `forgotten`. One call at a time. */
export default async function compile(job: CompileJob): Promise<unknown> {
  const { previousSecrets, inputs, heldVersion, holdsDeclared, ...request } = job;
  if (!held.apply(inputs)) return forgotten;
  const secrets = decodeSecrets(previousSecrets);
  const configuration = await readConfiguration({ ...request, ...held.inputs, previousSecrets: secrets }, memory);
  const { diagnostics, certificates, recompileAtMs, declared } = configuration;
  const table = configuration.table === null ? null : encodeTable(configuration.table, memory.encoding);
  const reply: CompileReply = {
    diagnostics,
    table: table === null ? null : packTable(table, sent?.version === heldVersion ? sent : null),
    files: certificates.signatures,
    inputDigest: digestInput(job, configuration),
    recompileAtMs,
    declared: holdsDeclared && declared === declaredBefore ? null : declared,
  };
  sent = table ?? sent;
  declaredBefore = declared;
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

function digestInput({ pushed }: CompileJob, { certificates }: Configuration): string {
  const hash = createHash("sha256").update(held.digest);
  if (pushed) hash.update(JSON.stringify(pushed.text));
  for (const entry of certificates.contents) hash.update(JSON.stringify(entry));
  return hash.digest("hex");
}
