// What `-f` names, read once: files, directories and standard input.
import { readFile, stat } from "node:fs/promises";
import type { Diagnostic, SourceText } from "@sluice/core/model";
import { fileProblem, unreadable } from "./file-problem.ts";
import { decodeText, isText, readText } from "./read-text.ts";
import { walkDirectory } from "./walk.ts";

const standardInput = "-";
/** What diagnostics call it. */
const standardInputName = "stdin";

export interface PathsRead {
  readonly texts: readonly SourceText[];
  readonly problems: readonly Diagnostic[];
}

/** Reads the paths in order. A file that is reached twice (`-f shop.yaml -f .`) is read once. A directory without configuration is a problem. */
export async function readPaths(paths: readonly string[], stdin: AsyncIterable<Buffer | string>): Promise<PathsRead> {
  const reader = new PathReader();
  for (const path of new Set(paths)) {
    if (path === standardInput) await reader.readStandardInput(stdin);
    else await reader.read(path);
  }
  return reader;
}

class PathReader implements PathsRead {
  readonly texts: SourceText[] = [];
  readonly problems: Diagnostic[] = [];
  readonly #seen = new Set<string>();

  async read(path: string): Promise<void> {
    try {
      const stats = await stat(path);
      if (stats.isDirectory()) await this.#readDirectory(path);
      else if (stats.isFile()) await this.#readFile(path);
      // A pipe, as `-f <(helm template .)` makes one.
      else this.#add(decodeText(path, await readFile(path)));
    } catch (error) {
      this.problems.push(unreadable(path, error));
    }
  }

  async readStandardInput(stdin: AsyncIterable<Buffer | string>): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
    this.#add(decodeText(standardInputName, Buffer.concat(chunks)));
  }

  async #readDirectory(path: string): Promise<void> {
    const { files, problems } = await walkDirectory(path);
    this.problems.push(...problems);
    if (files.length === 0 && problems.length === 0) {
      this.problems.push(fileProblem(path, "empty-directory", "holds no .yaml, .yml or .json file"));
    }
    for (const file of files) await this.#readFile(file.path);
  }

  async #readFile(path: string): Promise<void> {
    const { dev, ino } = await stat(path, { bigint: true });
    if (this.#seen.has(`${dev}:${ino}`)) return;
    this.#seen.add(`${dev}:${ino}`);
    const result = await readText(path);
    if (result !== null) this.#add(result);
  }

  #add(result: SourceText | Diagnostic): void {
    if (isText(result)) this.texts.push(result);
    else this.problems.push(result);
  }
}
