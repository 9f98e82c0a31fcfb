// The deterministic bytes that /bytes streams: a test can check any slice of any answer without keeping a copy of it.

/** The pattern repeats after this many bytes; also the size of one write. */
export const patternPeriodBytes = 64 * 1024;

// Mixing the high byte in makes every 256-byte row different, so a dropped or repeated TCP segment changes the digest.
const block = Buffer.allocUnsafe(patternPeriodBytes);
for (let index = 0; index < patternPeriodBytes; index++) block[index] = (index * 31 + (index >> 8)) & 0xff;

/** A view of the pattern's first `byteCount` bytes, at most one period. Not to be written to. */
export function patternSlice(byteCount: number): Buffer {
  return block.subarray(0, byteCount);
}

/**
 * The first `byteCount` bytes that `/bytes/{n}` answers, whatever n is: the byte at offset o depends on o alone.
 * @example patternBytes(1000).equals(Buffer.from(await (await fetch(`${url}/bytes/1000`)).arrayBuffer())) // true
 */
export function patternBytes(byteCount: number): Buffer {
  return Buffer.alloc(byteCount, block);
}
