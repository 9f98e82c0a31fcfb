// Buffers for bodies on their way, which go round: V8 counts what Buffers hold outside its heap and collects garbage for it. Answers of 1 MiB
// in a new buffer each time kept it collecting for half of the CPU.

/** What is gathered for one write (see `Sender`), or read from an upstream at once, with room for frames. */
export const pooledBytes = 96 * 1024;
/** Shorter pieces get a buffer of their own: who waits with a few bytes must not hold this many. */
const leastBytes = 32 * 1024;
/** Kept for the next who needs one: 6 MiB a worker. */
const maxFree = 64;

const free: Buffer[] = [];

export function takePooled(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(pooledBytes);
}

/** So many bytes of one, where it is worth while. */
export function allocatePooled(byteCount: number): Buffer {
  if (byteCount < leastBytes || byteCount > pooledBytes) return Buffer.allocUnsafe(byteCount);
  return takePooled().subarray(0, byteCount);
}

/** A copy of bytes that are only valid now. */
export function copyPooled(bytes: Uint8Array): Buffer {
  const copy = allocatePooled(bytes.length);
  copy.set(bytes);
  return copy;
}

export function isPooled({ buffer }: Buffer): boolean {
  return buffer.byteLength === pooledBytes;
}

/** Nobody looks at these bytes any more. Any view of the buffer will do, once; a buffer that is none of the pool's is left to the collector. */
export function givePooled(bytes: Buffer): void {
  if (isPooled(bytes) && free.length < maxFree) free.push(Buffer.from(bytes.buffer));
}
