// The store in the state directory: a log of versions, and a snapshot from which the log begins anew when it has become long.
//
//   store/snapshot   everything at some version, with the history, replaced as a whole
//   store/log        the versions since (or a little before: a crash between the two replacements)
//   store/lock.N     whose directory it is
//
// A commit is answered when its record is on the disk. Whatever moment the process or the machine dies at, the next start finds every
// version that was answered, and none of which a part is missing. docs/adr/0011 tells why this is no database.
import { mkdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Commit, type CommitResult, type StoreHealth, StoreLimit } from "../resource-store.ts";
import { StatefulStore } from "../stateful-store.ts";
import { StoreState, type StateImage, type VersionEntry } from "../store-state.ts";
import { Turns } from "../turns.ts";
import { lockDirectory } from "./directory-lock.ts";
import { replaceFile, syncDirectory } from "./files.ts";
import { decodeImage, encodeImage } from "./image.ts";
import { LogFile, type OpenedLog } from "./log-file.ts";

/** Far above what the API lets in. */
const maxRecordBytes = 256 * 1024 * 1024;
const defaultMaxLogBytes = 16 * 1024 * 1024;

export interface EmbeddedStoreOptions {
  /** Made where it is missing. */
  readonly directory: string;
  /** How many versions the history keeps. */
  readonly maxHistory: number;
  /** A longer log is replaced by a snapshot. */
  readonly maxLogBytes?: number;
  /** What an operator should know of, though the store goes on. */
  onWarning(message: string): void;
}

export class EmbeddedStore extends StatefulStore {
  readonly #options: EmbeddedStoreOptions;
  protected readonly state: StoreState;
  readonly #log: LogFile;
  readonly #unlock: () => Promise<void>;
  /** Commits are written one after the other: each is made on the one before. */
  readonly #turns = new Turns();
  #compactAtBytes: number;

  private constructor(
    options: EmbeddedStoreOptions,
    opened: { readonly state: StoreState; readonly log: LogFile; readonly unlock: () => Promise<void> },
  ) {
    super();
    this.#options = options;
    this.state = opened.state;
    this.#log = opened.log;
    this.#unlock = opened.unlock;
    this.#compactAtBytes = options.maxLogBytes ?? defaultMaxLogBytes;
  }

  /** @throws Error when another ctrl has the directory, or what is in it is damaged */
  static async open(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
    const { directory, maxHistory } = options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const unlock = await lockDirectory(directory);
    try {
      const image = await readImage(join(directory, "snapshot"));
      const state = new StoreState(maxHistory, image ?? undefined);
      const log = await openLog(options, image !== null, state);
      await syncDirectory(directory);
      return new EmbeddedStore(options, { state, log, unlock });
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  get health(): StoreHealth {
    return { kind: "embedded", problem: this.#log.failure };
  }

  commit(commit: Commit): Promise<CommitResult> {
    return this.#turns.take(async () => await this.#commit(commit));
  }

  async close(): Promise<void> {
    this.forgetListeners();
    await this.#turns.take(async () => {
      await this.#log.close();
      await this.#unlock();
    });
  }

  async #commit(commit: Commit): Promise<CommitResult> {
    const { number } = this.state.snapshot;
    if (commit.base !== number) return { outcome: "stale", number };
    const entry = this.state.toEntry(commit, Date.now());
    const payload = Buffer.from(JSON.stringify(entry));
    if (payload.length > maxRecordBytes) throw new StoreLimit(`a version is larger than ${maxRecordBytes} bytes`);
    await this.#log.append(payload);
    const version = this.state.apply(entry);
    if (this.#log.sizeBytes > this.#compactAtBytes) void this.#turns.take(async () => await this.#compact());
    this.tell();
    return { outcome: "committed", version, snapshot: this.state.snapshot };
  }

  /** A failure costs nothing but disk: the log goes on, and it is tried again when it has doubled. */
  async #compact(): Promise<void> {
    const { directory, maxLogBytes = defaultMaxLogBytes } = this.#options;
    try {
      await replaceFile(join(directory, "snapshot"), encodeImage(this.state.image));
      await this.#log.restart();
      this.#compactAtBytes = maxLogBytes;
    } catch (error) {
      this.#compactAtBytes = this.#log.sizeBytes * 2;
      this.#options.onWarning(`the store's log cannot be shortened: ${String(error)}`);
    }
  }
}

/** Null where there is none. */
async function readImage(path: string): Promise<StateImage | null> {
  // What a replacement left that was not finished.
  await unlink(`${path}.tmp`).catch(() => {});
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    return decodeImage(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} cannot be used: ${reason}. Put back a copy of the directory, or move it away`, {
      cause: error,
    });
  }
}

/** Opens the log and brings the state up to its end. */
async function openLog(options: EmbeddedStoreOptions, hasImage: boolean, state: StoreState): Promise<LogFile> {
  const path = join(options.directory, "log");
  await unlink(`${path}.tmp`).catch(() => {});
  const opened = await openOrNull(path);
  // A snapshot is only ever made of a log. Without it versions may be missing that were answered.
  if (opened === null && hasImage) {
    throw new Error(`${path} is missing beside its snapshot; put back a copy of the directory`);
  }
  if (opened === null) return await LogFile.create(path);
  const { log, payloads, tornBytes } = opened;
  if (tornBytes > 0) {
    options.onWarning(`${path} ended with ${tornBytes} bytes of a version that was never answered; they were cut off`);
  }
  try {
    for (const payload of payloads) replay(path, payload, state);
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function openOrNull(path: string): Promise<OpenedLog | null> {
  try {
    return await LogFile.open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function replay(path: string, payload: Buffer, state: StoreState): void {
  const entry = JSON.parse(payload.toString("utf8")) as VersionEntry;
  // The crash came after the snapshot and before the log began anew.
  if (entry.number <= state.snapshot.number) return;
  try {
    state.apply(entry);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}; versions are missing`, {
      cause: error,
    });
  }
}
