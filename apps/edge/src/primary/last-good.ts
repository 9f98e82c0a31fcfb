// The last good table on disk: an edge that starts while ctrl is away serves it at once. One frame of the wire protocol, so that what
// is read back is checked as strictly as what arrives from ctrl.
import { open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { encodeFrame, FrameDecoder, WireError } from "@sluice/core/wire";
import { makeDirectory } from "./directories.ts";
import { acceptOffer, type TableBytes, wholeOffer } from "./table-bytes.ts";

const fileName = "last-good.table";

/** Writes it so that a crash at any moment leaves the old or the new table, never half of one. It holds private keys: 0600. */
export async function saveLastGood(stateDirectory: string, table: TableBytes): Promise<void> {
  await makeDirectory(stateDirectory, 0o700);
  const path = join(stateDirectory, fileName);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(encodeFrame({ type: "commit", ...wholeOffer(table) }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** The saved table, or null when there is none. Throws when it is damaged. */
export async function loadLastGood(stateDirectory: string): Promise<TableBytes | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(stateDirectory, fileName));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const decoder = new FrameDecoder("ctrl");
  const [message, ...more] = decoder.push(bytes);
  // Half a frame is no error to the decoder, which waits for the rest. Here there is none.
  if (message?.type !== "commit" || message.base !== null || more.length > 0 || !decoder.isIdle)
    throw new WireError("malformed", `${fileName} holds something other than one table`);
  return acceptOffer(message, null);
}

/** Removes a damaged one. */
export async function discardLastGood(stateDirectory: string): Promise<void> {
  await unlink(join(stateDirectory, fileName)).catch(() => {});
}
