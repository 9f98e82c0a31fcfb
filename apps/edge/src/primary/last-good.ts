// The last good table on disk: an edge that starts while ctrl is away serves it at once. Frames of the wire protocol, so that what is read
// back is checked as strictly as what arrives from ctrl: one whole table, and behind it what has changed since, because a change of one
// route in ten thousand should not write ten megabytes.
import { type FileHandle, open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import {
  type CtrlMessage,
  encodeFrame,
  FrameDecoder,
  type ManifestEntry,
  patchManifest,
  WireError,
} from "@sluice/core/wire";
import { makeDirectory } from "./directories.ts";
import { acceptOffer, type TableBytes, type TableOffer, wholeOffer } from "./table-bytes.ts";

const fileName = "last-good.table";
/** Reading one back takes a few milliseconds at ten thousand routes. */
const maxChanges = 200;

export class LastGood {
  readonly #directory: string;
  readonly #path: string;
  /** What the file leads to; null: nothing to append to. */
  #version: string | null = null;
  #changes = 0;

  /** @param stateDirectory holds private keys from now on */
  constructor(stateDirectory: string) {
    this.#directory = stateDirectory;
    this.#path = join(stateDirectory, fileName);
  }

  /**
   * Writes it so that a crash at any moment leaves the old or the new table, never half of one.
   *
   * @param offer that led to the table, where there was one
   */
  async save(table: TableBytes, offer: TableOffer | null): Promise<void> {
    if (this.#version === table.version) return;
    const isNext = offer !== null && offer.base !== null && offer.base === this.#version;
    const canAppend = isNext && this.#changes < maxChanges;
    // Not known while it is being written, nor after a failure.
    this.#version = null;
    if (canAppend) await this.#append(offer);
    else await this.#replace(table);
    this.#changes = canAppend ? this.#changes + 1 : 0;
    this.#version = table.version;
  }

  /** The saved table, or null when there is none. Throws when it is damaged. */
  async load(): Promise<TableBytes | null> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
    const decoder = new FrameDecoder("ctrl");
    const offers = decoder.push(bytes).map(toOffer);
    const table = acceptOffer(fold(offers), null);
    // A change whose writing was cut short was never said to be live. Nothing may be written behind it.
    if (decoder.isIdle) [this.#version, this.#changes] = [table.version, offers.length - 1];
    return table;
  }

  /** Removes a damaged one. */
  async discard(): Promise<void> {
    await unlink(this.#path).catch(() => {});
  }

  async #append(offer: TableOffer): Promise<void> {
    const file = await open(this.#path, "a");
    await writeAndClose(file, encodeFrame({ type: "commit", ...offer }));
  }

  /** Readable by its owner only. */
  async #replace(table: TableBytes): Promise<void> {
    await makeDirectory(this.#directory, 0o700);
    const temporary = `${this.#path}.${process.pid}.tmp`;
    await writeAndClose(await open(temporary, "w", 0o600), encodeFrame({ type: "commit", ...wholeOffer(table) }));
    await rename(temporary, this.#path);
  }
}

async function writeAndClose(file: FileHandle, frame: Uint8Array): Promise<void> {
  try {
    await file.writeFile(frame);
    await file.sync();
  } finally {
    await file.close();
  }
}

function toOffer(message: CtrlMessage): TableOffer {
  if (message.type !== "commit") throw notOneTable();
  return message;
}

/** One whole table out of a whole one and what changed since. Only its version is left to be checked. */
function fold([first, ...changes]: readonly TableOffer[]): TableOffer {
  if (first === undefined || first.base !== null) throw notOneTable();
  let manifest: readonly ManifestEntry[] = patchManifest([], first);
  let { version } = first;
  const resources = [...first.resources];
  for (const change of changes) {
    if (change.base !== version) throw notOneTable();
    manifest = patchManifest(manifest, change);
    ({ version } = change);
    resources.push(...change.resources);
  }
  return { version, base: null, put: manifest, remove: [], resources };
}

function notOneTable(): WireError {
  return new WireError("malformed", `${fileName} holds something other than one table`);
}
