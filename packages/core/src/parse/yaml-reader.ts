// From text to YAML node trees, one a document. Keeps going after a broken document; stops only at a limit.
import { Composer, type Document, Lexer, LineCounter, type ParsedNode, Parser, type YAMLError } from "yaml";
import type { ParseCode } from "./codes.ts";
import type { Finding } from "./finding.ts";
import { maxDepth, maxDocumentsPerFile, maxSyntaxErrors } from "./limits.ts";
import { describeSyntaxError } from "./syntax-errors.ts";

/** A well-formed document that is not empty. */
export interface YamlTree {
  readonly root: ParsedNode;
  readonly document: Document.Parsed;
}

/** A finding that knows its place by its offset in the text. */
export type OffsetFinding = Finding<ParseCode> & { readonly offset: number };

export interface YamlRead {
  readonly trees: readonly YamlTree[];
  readonly findings: readonly OffsetFinding[];
  /** Also those that are broken or empty. */
  readonly documentCount: number;
}

// Version 1.2's core schema whatever a `%YAML` directive says: 1.1 would read `no` as false and dates as objects. Duplicate keys are
// found while the values are read, since the parser's own check takes quadratic time.
const composerOptions = {
  version: "1.2",
  schema: "core",
  merge: false,
  resolveKnownTags: false,
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "silent",
} as const;

/**
 * Reads every document of a text. Broken ones become findings, the others trees; empty ones are skipped.
 *
 * @param lines is told where lines begin
 */
export function readYaml(text: string, lines = new LineCounter()): YamlRead {
  const trees: YamlTree[] = [];
  const findings: OffsetFinding[] = [];
  const report = (finding: Finding<ParseCode>, offset: number): void => {
    findings.push({ ...finding, offset });
  };
  let documentCount = 0;
  for (const document of composeDocuments(text, lines, report)) {
    if (++documentCount > maxDocumentsPerFile) break;
    const errors = firstOfEachLine([...document.errors, ...document.warnings], lines);
    for (const error of errors) report({ severity: "error", code: "yaml-syntax", ...describe(error) }, error.pos[0]);
    if (errors.length === 0 && !isEmpty(document.contents)) trees.push({ root: document.contents, document });
  }
  return { trees, findings, documentCount };
}

/** Yields documents as they end. A limit on nesting ends the source, since what follows cannot be told apart any more. */
function* composeDocuments(
  text: string,
  lines: LineCounter,
  report: (finding: Finding<ParseCode>, offset: number) => void,
): Generator<Document.Parsed> {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer(composerOptions);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) yield* composer.next(token);
    // The stack holds the document and every open list, map and scalar. Checked here, at each lexeme, because composing is
    // recursive and a few kilobytes of `[` would overflow the call stack.
    if (parser.stack.length > maxDepth + 2) {
      const message = `lists and maps are nested more than ${maxDepth} deep`;
      report({ severity: "error", code: "nesting-too-deep", message }, parser.offset);
      yield* composer.end(false, parser.offset);
      return;
    }
  }
  for (const token of parser.end()) yield* composer.next(token);
  yield* composer.end(false, text.length);
}

function firstOfEachLine(errors: readonly YAMLError[], lines: LineCounter): readonly YAMLError[] {
  const seen = new Set<number>();
  return errors
    .filter((error) => {
      const { line } = lines.linePos(error.pos[0]);
      return !seen.has(line) && seen.add(line);
    })
    .slice(0, maxSyntaxErrors);
}

function describe(error: YAMLError): Pick<Finding<ParseCode>, "message" | "hint"> {
  return describeSyntaxError(error.code);
}

function isEmpty(contents: ParsedNode | null): contents is null {
  return contents === null || ("value" in contents && contents.value === null);
}
