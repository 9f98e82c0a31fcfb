// Everything under a configuration directory that is to be read, and every directory in which a change would matter.
import type { BigIntStats, Dirent } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Diagnostic } from "@sluice/core/model";
import { unreadable } from "./file-problem.ts";
import { isConfigFileName, isHidden } from "./file-names.ts";
import { toSignature } from "./signature.ts";

/** A directory and which directory it is: after a deletion and a new one by the same name, the identity is another. */
export interface FoundDirectory {
  readonly path: string;
  readonly identity: string;
}

export interface FoundFile {
  readonly path: string;
  readonly signature: string;
}

export interface Listing {
  /** In the order of their names, directory by directory: the order in which documents are read decides ties. */
  readonly files: readonly FoundFile[];
  /** The directories read, and those that hold the real files behind symbolic links. */
  readonly directories: readonly FoundDirectory[];
  readonly problems: readonly Diagnostic[];
}

/** Lists the directory and everything below it. Never throws: what cannot be read is a problem. */
export async function walkDirectory(root: string): Promise<Listing> {
  const walk = new Walk();
  await walk.enter(root);
  return walk;
}

class Walk implements Listing {
  readonly files: FoundFile[] = [];
  readonly directories: FoundDirectory[] = [];
  readonly problems: Diagnostic[] = [];
  /** By identity: a link back to an ancestor, or two links to one directory, are followed once. */
  readonly #entered = new Set<string>();
  readonly #watched = new Set<string>();

  async enter(directory: string): Promise<void> {
    let names: Dirent[];
    try {
      const identity = this.#watch(directory, await stat(directory, { bigint: true }));
      if (this.#entered.has(identity)) return;
      this.#entered.add(identity);
      names = await readdir(directory, { withFileTypes: true });
    } catch (error) {
      this.problems.push(unreadable(directory, error));
      return;
    }
    names.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of names) {
      if (!isHidden(entry.name)) await this.#look(join(directory, entry.name), entry);
    }
  }

  async #look(path: string, entry: Dirent): Promise<void> {
    if (entry.isDirectory()) return await this.enter(path);
    const isConfig = isConfigFileName(entry.name);
    if (!isConfig && !entry.isSymbolicLink()) return;
    try {
      const stats = await stat(path, { bigint: true });
      if (stats.isDirectory()) return await this.enter(path);
      if (!isConfig) return;
      this.files.push({ path, signature: toSignature(stats) });
      if (entry.isSymbolicLink()) await this.#watchTarget(path);
    } catch (error) {
      // Gone since it was listed is no problem; a link that leads nowhere is.
      if (isConfig && (await exists(path))) this.problems.push(unreadable(path, error));
    }
  }

  async #watchTarget(link: string): Promise<void> {
    const directory = dirname(await realpath(link));
    this.#watch(directory, await stat(directory, { bigint: true }));
  }

  #watch(path: string, stats: BigIntStats): string {
    const identity = toIdentity(stats);
    if (!this.#watched.has(identity)) this.directories.push({ path, identity });
    this.#watched.add(identity);
    return identity;
  }
}

/** Which directory a path leads to; null when it leads nowhere or elsewhere. */
export async function findDirectory(path: string): Promise<FoundDirectory | null> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isDirectory() ? { path, identity: toIdentity(stats) } : null;
  } catch {
    return null;
  }
}

function toIdentity(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
