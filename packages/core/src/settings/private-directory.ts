// Which directories private keys may lie in and pass through. Pure: the programs look at the disk and bring what `stat` said.

/** Of `fs.Stats`. */
export interface DirectoryStats {
  readonly uid: number;
  readonly mode: number;
  isDirectory(): boolean;
}

interface DirectoryFacts {
  readonly path: string;
  readonly stats: DirectoryStats;
  /** The user this process runs as. */
  readonly uid: number;
}

const writableByOthers = 0o022;
const openToOthers = 0o077;

/**
 * Why `state.directory` must not be used, and what to do; null when it may. Who can write to it can put a table in place of the last good
 * one and a socket in place of ctrl's. Reading its list of names does no harm: every file in it is 0600. Root may use the directory of
 * another user, as it does in a container with a mounted one.
 */
export function stateDirectoryProblem({ path, stats, uid }: DirectoryFacts): string | null {
  if (!stats.isDirectory()) return `state.directory: ${path} is no directory`;
  if ((stats.mode & writableByOthers) !== 0) {
    return `state.directory: other users may write to ${path}, and private keys are kept there; run chmod go-w on it, or name another directory`;
  }
  if (stats.uid === uid || stats.uid === 0 || uid === 0) return null;
  return `state.directory: ${path} belongs to user ${stats.uid} and this is user ${uid}; name a directory of your own`;
}

/**
 * Why the control socket in this directory below the one for temporary files must not be used, and what to do; null when it may. Take the
 * stats of the path itself (`lstat`): everybody may make names there, and a link would lead to where its maker listens.
 */
export function socketDirectoryProblem({ path, stats, uid }: DirectoryFacts): string | null {
  const advice = `remove it, or choose a shorter state.directory, so that the control socket has its place there`;
  if (!stats.isDirectory()) return `the control socket's directory ${path} is no directory; ${advice}`;
  if (stats.uid !== uid) return `the control socket's directory ${path} belongs to user ${stats.uid}; ${advice}`;
  if ((stats.mode & openToOthers) === 0) return null;
  return `the control socket's directory ${path} is open to other users; ${advice}`;
}
