// From texts to a table, certificate files included: the one path that offline commands and the control plane share.
import { type CompileOptions, checkReferences, compileTable, referencedFiles, validateDocuments } from "@sluice/core";
import { type Diagnostic, hasErrors, type Table } from "@sluice/core/model";
import { type CertificateFiles, readCertificateFiles } from "./certificate-files.ts";
import { joinOrigins, type Origins } from "./origins.ts";

/** What compile has to be told, but for what is read from disk. */
export type GatewayOptions = Omit<CompileOptions, "files" | "previousSecrets" | "nowMs">;

export interface ConfigurationRequest extends Origins {
  /** Relative paths of certificates start here. */
  readonly baseDirectory: string;
  readonly gateway: GatewayOptions;
  readonly previousSecrets?: CompileOptions["previousSecrets"];
}

export interface Configuration {
  /** In the order of files and lines. */
  readonly diagnostics: readonly Diagnostic[];
  /** How many documents were read. */
  readonly documentCount: number;
  /** Null when any diagnostic is an error. */
  readonly table: Table | null;
  readonly certificates: CertificateFiles;
  /** See `CompileResult`. */
  readonly recompileAtMs: number | null;
  /** `file:line` of every resource that a file declares. */
  readonly declared: ReadonlyMap<string, string>;
}

/** Parses, validates, reads the certificate files and compiles. Never throws for what stands in the texts. */
export async function readConfiguration(request: ConfigurationRequest): Promise<Configuration> {
  const { documents, diagnostics: parsing, declared } = joinOrigins(request);
  const { resources, diagnostics: validation } = validateDocuments(documents);
  const findings = [...parsing, ...validation];
  // Documents with errors are left out, and every reference to them would look broken.
  if (!hasErrors(findings)) {
    findings.push(...checkReferences(resources, { documents, gatewayNamespace: request.gateway.gateway.namespace }));
  }
  // Also when there are errors: they may be repaired by the arrival of a file.
  const certificates = await readCertificateFiles(referencedFiles(resources), request.baseDirectory);
  const refused = { documentCount: documents.length, certificates, declared, table: null, recompileAtMs: null };
  if (hasErrors(findings)) return { ...refused, diagnostics: findings.toSorted(byPlace) };
  const { previousSecrets } = request;
  const compiled = compileTable(resources, {
    ...request.gateway,
    nowMs: Date.now(),
    files: certificates.contents,
    ...(previousSecrets === undefined ? {} : { previousSecrets }),
  });
  const diagnostics = [...findings, ...compiled.diagnostics].toSorted(byPlace);
  if (hasErrors(diagnostics)) return { ...refused, diagnostics };
  return { ...refused, diagnostics, table: compiled.table, recompileAtMs: compiled.recompileAtMs };
}

/** By file, line and column; what stands in one place keeps its order. */
function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
