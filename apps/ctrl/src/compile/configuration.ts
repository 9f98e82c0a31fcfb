// From texts to a table, certificate files included: the one path that offline commands and the control plane share.
import {
  type CompileOptions,
  checkReferences,
  compileTable,
  parseSources,
  referencedFiles,
  validateDocuments,
} from "@sluice/core";
import { type Diagnostic, hasErrors, type SourceText, type Table } from "@sluice/core/model";
import { type CertificateFiles, readCertificateFiles } from "./certificate-files.ts";

/** What compile has to be told, but for what is read from disk. */
export type GatewayOptions = Omit<CompileOptions, "files" | "previousSecrets" | "nowMs">;

export interface ConfigurationRequest {
  readonly texts: readonly SourceText[];
  /** The namespace of documents that name none. */
  readonly defaultNamespace: string;
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
}

/** Parses, validates, reads the certificate files and compiles. Never throws for what stands in the texts. */
export async function readConfiguration(request: ConfigurationRequest): Promise<Configuration> {
  const { documents, diagnostics: parsing } = parseSources(request.texts, {
    defaultNamespace: request.defaultNamespace,
  });
  const { resources, diagnostics: validation } = validateDocuments(documents);
  const findings = [...parsing, ...validation];
  // Documents with errors are left out, and every reference to them would look broken.
  if (!hasErrors(findings)) {
    findings.push(...checkReferences(resources, { documents, gatewayNamespace: request.gateway.gateway.namespace }));
  }
  // Also when there are errors: they may be repaired by the arrival of a file.
  const certificates = await readCertificateFiles(referencedFiles(resources), request.baseDirectory);
  const documentCount = documents.length;
  const refused = { documentCount, table: null, certificates, recompileAtMs: null };
  if (hasErrors(findings)) return { diagnostics: findings.toSorted(byPlace), ...refused };
  const { previousSecrets } = request;
  const {
    table,
    diagnostics: compilation,
    recompileAtMs,
  } = compileTable(resources, {
    ...request.gateway,
    nowMs: Date.now(),
    files: certificates.contents,
    ...(previousSecrets === undefined ? {} : { previousSecrets }),
  });
  const diagnostics = [...findings, ...compilation].toSorted(byPlace);
  if (hasErrors(diagnostics)) return { diagnostics, ...refused };
  return { diagnostics, documentCount, table, certificates, recompileAtMs };
}

/** By file, line and column; what stands in one place keeps its order. */
function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
