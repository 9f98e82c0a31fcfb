// Finds out at the start, not at the first request, that the access log cannot be written: nobody looks for lines that never come.
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { makeDirectory } from "./directories.ts";
import { UsageError } from "./settings.ts";

/** Creates the file and its directories where they are missing. @throws UsageError when it cannot be appended to */
export async function prepareAccessLog(path: string): Promise<void> {
  if (path === "off" || path.startsWith("/dev/")) return;
  try {
    await makeDirectory(dirname(path));
    const file = await open(path, "a");
    await file.close();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`edge.accessLog.path: ${path} cannot be written: ${code ?? String(error)}`);
  }
}
