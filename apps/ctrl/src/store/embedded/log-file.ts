// The log of the embedded store: records that are only ever added, each on disk before the next is begun.
import { type FileHandle, open, readFile } from "node:fs/promises";
import { StoreUnavailable } from "../resource-store.ts";
import { replaceFile, writeFully } from "./files.ts";
import { DamagedRecords, encodeRecord, readRecords } from "./records.ts";

export interface OpenedLog {
  readonly log: LogFile;
  readonly payloads: readonly Buffer[];
  /** Bytes of a record that was never finished, cut off and kept beside the log; 0 as a rule. */
  readonly tornBytes: number;
}

export class LogFile {
  readonly #path: string;
  #handle: FileHandle;
  #endBytes: number;
  /** Why nothing can be added any more. */
  #failure: string | null = null;

  private constructor(path: string, handle: FileHandle, endBytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.#endBytes = endBytes;
  }

  /** Makes an empty log. */
  static async create(path: string): Promise<LogFile> {
    await replaceFile(path, Buffer.alloc(0));
    return new LogFile(path, await open(path, "r+"), 0);
  }

  /** @throws Error that names the file, when it is damaged in front of whole records; ENOENT where there is none */
  static async open(path: string): Promise<OpenedLog> {
    const bytes = await readFile(path);
    const { payloads, endBytes } = read(path, bytes);
    const handle = await open(path, "r+");
    const torn = bytes.subarray(endBytes);
    if (torn.length > 0) {
      // Kept for who wants to look: nobody was told that it was stored.
      await replaceFile(`${path}.torn`, torn);
      await handle.truncate(endBytes);
      await handle.sync();
    }
    return { log: new LogFile(path, handle, endBytes), payloads, tornBytes: torn.length };
  }

  get sizeBytes(): number {
    return this.#endBytes;
  }

  /** Null while records can be added. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Resolves when the record is on the disk. @throws StoreUnavailable when it is not, or nobody can tell */
  async append(payload: Buffer): Promise<void> {
    if (this.#failure !== null) throw new StoreUnavailable(this.#failure);
    const record = encodeRecord(payload);
    try {
      await writeFully(this.#handle, record, this.#endBytes);
    } catch (error) {
      await this.#takeBack(error);
    }
    try {
      await this.#handle.datasync();
    } catch (error) {
      // The kernel may have dropped the pages and forgotten that it did: a second fsync would succeed and mean nothing.
      this.#fail(`fsync of ${this.#path} failed (${describe(error)}); restart ctrl when the disk is well`);
    }
    this.#endBytes += record.length;
  }

  /** Goes on with an empty log. */
  async restart(): Promise<void> {
    const { path, handle } = { path: this.#path, handle: this.#handle };
    await replaceFile(path, Buffer.alloc(0));
    this.#handle = await open(path, "r+");
    this.#endBytes = 0;
    await handle.close();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** A disk that is full may have room again: as long as what was begun could be cut off, the log is as it was. */
  async #takeBack(cause: unknown): Promise<never> {
    try {
      await this.#handle.truncate(this.#endBytes);
    } catch (error) {
      this.#fail(`${this.#path} cannot be written (${describe(cause)}), nor cut to its length (${describe(error)})`);
    }
    throw new StoreUnavailable(`${this.#path} cannot be written: ${describe(cause)}`, { cause });
  }

  #fail(reason: string): never {
    this.#failure = reason;
    throw new StoreUnavailable(reason);
  }
}

function read(path: string, bytes: Buffer) {
  try {
    return readRecords(bytes);
  } catch (error) {
    if (!(error instanceof DamagedRecords)) throw error;
    throw new Error(
      `${path} is damaged at byte ${error.offset}, and whole records follow: nothing is guessed. Put back a copy of the directory, or move it away to begin with an empty store`,
      { cause: error },
    );
  }
}

function describe(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
