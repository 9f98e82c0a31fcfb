// Collects what the compiler finds. The compiler never fails: every finding is a warning, the rest of the table is built.
import type { Diagnostic, FieldPath, Resource } from "../model/index.ts";
import { describeDocument, formatPath } from "../model/index.ts";
import type { CompileCode } from "./codes.ts";

/** A field of a resource: where a finding belongs. */
export interface Site {
  readonly resource: Resource<unknown>;
  readonly path: FieldPath;
}

export interface Finding {
  readonly code: CompileCode;
  readonly message: string;
  readonly hint?: string;
}

export class Findings {
  readonly #diagnostics: Diagnostic[] = [];

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  warn(site: Site, finding: Finding): void {
    const { document } = site.resource;
    const place = document.locate(site.path);
    this.#diagnostics.push({
      severity: "warning",
      code: finding.code,
      message: finding.message,
      ...(finding.hint === undefined ? {} : { hint: finding.hint }),
      file: place.file,
      line: place.line,
      column: place.column,
      path: formatPath(site.path),
      resource: describeDocument(document),
    });
  }
}

/** `server "https" of Gateway default/shop (shop.yaml:12:5)`: names an owner and the place it stands at. */
export function describeSite(what: string, site: Site): string {
  const { file, line, column } = site.resource.document.locate(site.path);
  return `${what} of ${describeDocument(site.resource.document)} (${file}:${line}:${column})`;
}
