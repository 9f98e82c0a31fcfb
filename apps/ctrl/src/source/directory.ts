// A watched configuration directory: every change to it becomes one complete snapshot.
//
// The system's events only say when to look; what has changed is told by comparing signatures. So an event that is missed costs the time
// until the next poll, never a change, and an event about nothing costs a look, never a compilation.
import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Diagnostic, SourceText } from "@sluice/core/model";
import { QuietTimer } from "./quiet-timer.ts";
import { isText, readText } from "./read-text.ts";
import { isSameSignature, signatureOf } from "./signature.ts";
import { type Listing, findDirectory, walkDirectory } from "./walk.ts";
import { WatchSet, type WatchTarget } from "./watch-set.ts";

/** A tool that writes many files pauses for less between two of them. */
export const defaultQuietMs = 100;
/** A directory that is never quiet is read all the same. */
export const defaultLimitMs = 10_000;

/** Everything the directory holds at one time. */
export interface Snapshot {
  readonly texts: readonly SourceText[];
  /** What could not be read. Any entry means: keep what runs. */
  readonly problems: readonly Diagnostic[];
}

export interface DirectorySourceOptions {
  readonly directory: string;
  onSnapshot(snapshot: Snapshot): void;
  onWatchRefused(path: string, error: unknown): void;
  /** Time without events before a look (100 ms) and the longest wait (10 s), as istiod has them. */
  readonly quietMs?: number;
  readonly limitMs?: number;
  /** How often to look without events: for file systems that have none (2 s). */
  readonly pollMs?: number;
}

/** Emits a snapshot at start and after every change, until closed. */
export class DirectorySource {
  readonly #options: DirectorySourceOptions;
  readonly #timer: QuietTimer;
  readonly #watches: WatchSet;
  /** As last emitted; null before the first snapshot. */
  #signature: string | null = null;
  #otherFiles: ReadonlyMap<string, string> = new Map();
  #poll: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #mustLookAgain = false;
  #isClosed = false;

  constructor(options: DirectorySourceOptions) {
    this.#options = options;
    this.#timer = new QuietTimer(options.quietMs ?? defaultQuietMs, options.limitMs ?? defaultLimitMs, () =>
      this.#look(),
    );
    this.#watches = new WatchSet({
      onChange: () => this.#timer.poke(),
      onRefused: (path, error) => options.onWatchRefused(path, error),
    });
  }

  /** Resolves after the first snapshot. */
  async start(): Promise<void> {
    this.#poll = setInterval(() => this.#look(), this.#options.pollMs ?? 2000);
    this.#look();
    await this.#looking;
  }

  /**
   * Watches files outside of the directory too (certificates), instead of those named before.
   *
   * @param files path → the signature it had when it was last read: what has changed since then is noticed.
   */
  watchFiles(files: ReadonlyMap<string, string>): void {
    this.#otherFiles = files;
    this.#look();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#timer.cancel();
    await this.#looking;
    this.#watches.close();
  }

  /** One look at a time; a call meanwhile makes another one follow. */
  #look(): void {
    this.#mustLookAgain = true;
    this.#looking ??= this.#lookUntilQuiet().finally(() => (this.#looking = null));
  }

  async #lookUntilQuiet(): Promise<void> {
    while (this.#mustLookAgain && !this.#isClosed) {
      this.#mustLookAgain = false;
      await this.#lookOnce();
    }
  }

  async #lookOnce(): Promise<void> {
    const listing = await walkDirectory(this.#options.directory);
    const [others, now] = [this.#otherFiles, await signaturesOf(this.#otherFiles.keys())];
    if (this.#isClosed) return;
    // Watches first, reading last: a change after the reading began is an event, one before it is read.
    if (this.#watches.update(await this.#targets(listing))) {
      this.#mustLookAgain = true;
      return;
    }
    const signature = describeListing(listing);
    const isSame = this.#signature !== null && isSameSignature(this.#signature, signature);
    if (isSame && ![...now].some(([path, current]) => !isSameSignature(others.get(path) ?? "", current))) return;
    const snapshot = await readSnapshot(listing);
    if (this.#isClosed) return;
    if (snapshot === null) {
      this.#mustLookAgain = true;
      return;
    }
    this.#signature = signature;
    // A later call of watchFiles knows better.
    if (this.#otherFiles === others) this.#otherFiles = now;
    this.#options.onSnapshot(snapshot);
  }

  async #targets(listing: Listing): Promise<WatchTarget[]> {
    const targets: WatchTarget[] = listing.directories.map((directory) => ({ ...directory, only: null }));
    // The parent tells when the directory itself, or the link that it is, appears or is exchanged.
    const { directory } = this.#options;
    const parent = await findDirectory(dirname(directory));
    if (parent !== null) targets.push({ ...parent, only: basename(directory) });
    for (const path of await directoriesOf(this.#otherFiles.keys())) {
      const found = await findDirectory(path);
      if (found !== null) targets.push({ ...found, only: null });
    }
    return targets;
  }
}

function describeListing(listing: Listing): string {
  const files = listing.files.map(({ path, signature }) => `${path} ${signature}`);
  const problems = listing.problems.map(({ file, message }) => `${file} ${message}`);
  return [...files, ...problems].join("\n");
}

/** Null: a file went away while others were read. What is left of the listing is no state the directory was ever meant to have. */
async function readSnapshot(listing: Listing): Promise<Snapshot | null> {
  const texts: SourceText[] = [];
  const problems: Diagnostic[] = [...listing.problems];
  for (const { path } of listing.files) {
    const result = await readText(path);
    if (result === null) return null;
    if (isText(result)) texts.push(result);
    else problems.push(result);
  }
  return { texts, problems };
}

async function signaturesOf(paths: Iterable<string>): Promise<Map<string, string>> {
  const signatures = new Map<string, string>();
  for (const path of paths) signatures.set(path, await signatureOf(path));
  return signatures;
}

/** Where each path lies, and where the file it leads to lies. */
async function directoriesOf(paths: Iterable<string>): Promise<Set<string>> {
  const directories = new Set<string>();
  for (const path of paths) {
    directories.add(dirname(path));
    const real = await realpath(path).catch(() => null);
    if (real !== null) directories.add(dirname(real));
  }
  return directories;
}
