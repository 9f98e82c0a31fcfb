// The secret that session ticket keys derive from. Made at the first start; copy the file to every machine of a tier, and TLS sessions
// resume on whichever machine the load balancer picks.
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory } from "./directories.ts";

const fileName = "session-ticket.key";
const secretBytes = 32;

/** The 32 bytes of `<state>/session-ticket.key` (64 hex digits). Throws when the file holds anything else. */
export async function loadTicketSecret(stateDirectory: string): Promise<Buffer> {
  const path = join(stateDirectory, fileName);
  await makeDirectory(stateDirectory, 0o700);
  const made = randomBytes(secretBytes);
  try {
    await writeFile(path, `${made.toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const secret = Buffer.from((await readFile(path, "utf8")).trim(), "hex");
  if (secret.length !== secretBytes)
    throw new Error(`${path} must hold ${secretBytes * 2} hex digits; delete it to have a new one made`);
  return secret;
}
