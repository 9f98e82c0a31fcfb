// What tells that a file may have changed without reading it.
import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";

/**
 * A file written this recently may be written again within the same tick of the file system's clock, and then looks unchanged. Its
 * signature equals no other, so the next look reads it again (git's "racily clean" index entries).
 */
const racyMs = 50;
const racyMark = ":racy";

/** The signature of a path that leads nowhere. */
export const missingSignature = "missing";

/**
 * Changes when the file behind the path (symbolic links followed) is replaced, written, truncated, or changes its permissions.
 * Call it before reading the file: a change in between then shows at the next look.
 */
export function toSignature(stats: BigIntStats): string {
  const racy = Math.abs(Date.now() - Number(stats.mtimeMs)) < racyMs ? racyMark : "";
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}${racy}`;
}

/** The signature of whatever the path leads to now; `missing` when it leads nowhere. */
export async function signatureOf(path: string): Promise<string> {
  try {
    return toSignature(await stat(path, { bigint: true }));
  } catch {
    return missingSignature;
  }
}

/** True when nothing has changed between two looks. */
export function isSameSignature(before: string, now: string): boolean {
  return before === now && !now.includes(racyMark);
}
