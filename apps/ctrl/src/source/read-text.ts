// One file into memory, within limits.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { maxFileBytes } from "@sluice/core";
import type { Diagnostic, SourceText } from "@sluice/core/model";
import { fileProblem, unreadable } from "./file-problem.ts";

/**
 * The text of a configuration file, or why there is none. Null: the file is gone.
 *
 * Bytes that are no UTF-8 are refused: replaced ones would end up in host names and header values.
 */
export async function readText(path: string, maxBytes = maxFileBytes): Promise<SourceText | Diagnostic | null> {
  try {
    // Not blocking, so that a pipe named like a configuration file does not hang the reader.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile()) return fileProblem(path, "unreadable-file", "is not a regular file");
    if (stats.size > maxBytes) return tooLarge(path, maxBytes);
    return decodeText(path, await handle.readFile(), maxBytes);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    return unreadable(path, error);
  }
}

/** The text of bytes that must be UTF-8, with a byte order mark taken off. */
export function decodeText(file: string, bytes: Uint8Array, maxBytes = maxFileBytes): SourceText | Diagnostic {
  if (bytes.length > maxBytes) return tooLarge(file, maxBytes);
  try {
    return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return fileProblem(file, "not-utf-8", "is not valid UTF-8");
  }
}

/** Tells a text that was read from the reason why it was not. */
export function isText(result: SourceText | Diagnostic): result is SourceText {
  return "text" in result;
}

function tooLarge(file: string, maxBytes: number): Diagnostic {
  return fileProblem(file, "file-too-large", `is larger than ${maxBytes / 1024 / 1024} MiB`);
}
