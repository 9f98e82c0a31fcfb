// The set of directories the system tells us about. Directories, not files: a watch on a file stays with the old one when an editor
// renames a new one over it.
import { type FSWatcher, watch } from "node:fs";
import { basename } from "node:path";
import type { FoundDirectory } from "./walk.ts";

export interface WatchTarget extends FoundDirectory {
  /** Only events about this name count; null: all do. */
  readonly only: string | null;
}

export interface WatchEvents {
  onChange(): void;
  /** The system refuses to watch (too many watches, a file system without events): only polling is left for this directory. */
  onRefused(path: string, error: unknown): void;
}

/** Keeps one watch a target. */
export class WatchSet {
  readonly #events: WatchEvents;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #refused = new Set<string>();

  constructor(events: WatchEvents) {
    this.#events = events;
  }

  /** Watches these and nothing else. True when a watch was added: what happened before it was not seen, so look again. */
  update(targets: Iterable<WatchTarget>): boolean {
    const wanted = new Map<string, WatchTarget>();
    for (const target of targets) wanted.set(`${target.identity} ${target.only ?? ""} ${target.path}`, target);
    for (const key of this.#watchers.keys()) if (!wanted.has(key)) this.#remove(key);
    let hasAdded = false;
    for (const [key, target] of wanted) {
      if (!this.#watchers.has(key)) hasAdded = this.#add(key, target) || hasAdded;
    }
    return hasAdded;
  }

  close(): void {
    for (const key of this.#watchers.keys()) this.#remove(key);
  }

  #add(key: string, target: WatchTarget): boolean {
    try {
      const watcher = watch(target.path);
      watcher.on("change", (_event, name) => this.#onEvent(key, target, String(name)));
      watcher.on("error", (error) => this.#refuse(key, target, error));
      this.#watchers.set(key, watcher);
      return true;
    } catch (error) {
      this.#refuse(key, target, error);
      return false;
    }
  }

  #onEvent(key: string, target: WatchTarget, name: string): void {
    // The event of a directory about itself: it was deleted or moved, and its watch is dead although a new directory may by now have its
    // path and even its inode. (An entry by the same name costs a renewed watch.)
    if (name === basename(target.path) && target.only !== name) this.#remove(key);
    else if (target.only !== null && target.only !== name) return;
    this.#events.onChange();
  }

  #refuse(key: string, target: WatchTarget, error: unknown): void {
    this.#remove(key);
    if (!this.#refused.has(target.path)) this.#events.onRefused(target.path, error);
    this.#refused.add(target.path);
  }

  #remove(key: string): void {
    this.#watchers.get(key)?.close();
    this.#watchers.delete(key);
  }
}
