// The directories an edge writes to: makes them, and refuses those that other users can write to.
import { constants, lstatSync } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { socketDirectoryProblem, stateDirectoryProblem } from "@sluice/core/settings";
import { UsageError } from "./settings.ts";

/** Windows has no user ids, nor permissions that would tell anything. */
export const userId = process.getuid?.() ?? 0;

/**
 * Makes the directory and those above it that are missing. Step by step, and not by `mkdir`'s own recursion: that never ends where the
 * file system answers ENOENT although everything above is there, as /proc does.
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  const failure = await tryMakeDirectory(path, mode);
  if (failure === null) return;
  if (failure.code !== "ENOENT" || dirname(path) === path) throw failure;
  await makeDirectory(dirname(path), mode);
  const again = await tryMakeDirectory(path, mode);
  if (again !== null) throw again;
}

async function tryMakeDirectory(path: string, mode: number): Promise<NodeJS.ErrnoException | null> {
  try {
    await mkdir(path, { mode });
    return null;
  } catch (error) {
    const isThere = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    return isThere ? null : (error as NodeJS.ErrnoException);
  }
}

/** Makes the state directory where it is missing. @throws UsageError when it cannot be made, or is not safe for private keys */
export async function prepareStateDirectory(path: string): Promise<void> {
  try {
    await makeDirectory(path, 0o700);
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`state.directory: ${path} cannot be made or written to: ${code ?? String(error)}`);
  }
  const problem = stateDirectoryProblem({ path, stats: await stat(path), uid: userId });
  if (problem !== null) throw new UsageError(problem);
}

/** Why not to connect to a control socket in this directory; null when it is safe, or not there yet. */
export function findSocketDirectoryProblem(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? null : socketDirectoryProblem({ path, stats, uid: userId });
}
