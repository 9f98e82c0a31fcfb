// The directories of the control socket: makes them, and refuses those that other users can write to. Who can replace the socket can feed
// every edge a table; who can open it receives private keys.
import { constants } from "node:fs";
import { access, lstat, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type ControlSocket, socketDirectoryProblem, stateDirectoryProblem } from "@sluice/core/settings";

const privateMode = 0o700;

/** Windows has no user ids, nor permissions that would tell anything. */
export const userId = process.getuid?.() ?? 0;

/** Makes what is missing. @throws Error that names the directory and what to do, when one cannot be made or is not private */
export async function prepareDirectories(stateDirectory: string, { ownDirectory }: ControlSocket): Promise<void> {
  try {
    await makeDirectory(stateDirectory);
    await access(stateDirectory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Error(`state.directory: ${stateDirectory} cannot be made or written to: ${reason}`, { cause: error });
  }
  refuse(stateDirectoryProblem({ path: stateDirectory, stats: await stat(stateDirectory), uid: userId }));
  if (ownDirectory === null) return;
  // Not step by step: nobody's temporary directory is made here. What has the name already is looked at, whatever it is.
  await mkdir(ownDirectory, { mode: privateMode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  refuse(socketDirectoryProblem({ path: ownDirectory, stats: await lstat(ownDirectory), uid: userId }));
}

function refuse(problem: string | null): void {
  if (problem !== null) throw new Error(problem);
}

/** Step by step, and not by `mkdir`'s own recursion, which never ends below /proc: mkdir says ENOENT there although the parent exists. */
async function makeDirectory(path: string): Promise<void> {
  const failure = await tryMakeDirectory(path);
  if (failure === null) return;
  if (failure.code !== "ENOENT" || dirname(path) === path) throw failure;
  await makeDirectory(dirname(path));
  const again = await tryMakeDirectory(path);
  if (again !== null) throw again;
}

async function tryMakeDirectory(path: string): Promise<NodeJS.ErrnoException | null> {
  try {
    await mkdir(path, { mode: privateMode });
    return null;
  } catch (error) {
    const isThere = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    return isThere ? null : (error as NodeJS.ErrnoException);
  }
}
