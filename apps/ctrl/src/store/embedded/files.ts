// The few operations on files that the store's promise rests on: what is acknowledged is on the disk, under its name, whole.
import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Private keys are in it. */
const privateMode = 0o600;

/** Puts a file in place of another, or of none: whatever happens, one of the two is there, whole. */
export async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.tmp`;
  await using handle = await open(temporary, "w", privateMode);
  await writeFully(handle, bytes, 0);
  await handle.sync();
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Makes names durable: those that were made, and those that were given to other files. */
export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}

/** Writes all of it: one call may write less. */
export async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
