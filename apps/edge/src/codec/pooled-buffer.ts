// Buffers for bodies on their way, which go round: V8 counts what Buffers hold outside its heap and collects garbage for it. Answers of 1 MiB
// in a new buffer each time kept it collecting for half of the CPU.

/** Of one size, and how many are kept for the next who needs one. */
interface SizeClass {
  readonly bytes: number;
  readonly maxFree: number;
  readonly free: Buffer[];
}

/** A read of the usual size with room for frames: 6 MiB a worker. */
const usual: SizeClass = { bytes: 96 * 1024, maxFree: 64, free: [] };
/** A large one, or what HTTP/2 gathers for one write: 9 MiB. */
const large: SizeClass = { bytes: 288 * 1024, maxFree: 32, free: [] };
/** Shorter pieces get a buffer of their own: who waits with a few bytes must not hold this many. */
const leastBytes = 32 * 1024;

/** The most that a buffer of the pool holds. */
export const maxPooledBytes = large.bytes;

/** A buffer of the pool with at least so many bytes; one of its own where the pool has none that large. */
export function takePooled(byteCount: number): Buffer {
  const { bytes, free } = byteCount <= usual.bytes ? usual : large;
  return byteCount > bytes ? Buffer.allocUnsafeSlow(byteCount) : (free.pop() ?? Buffer.allocUnsafeSlow(bytes));
}

/** So many bytes of one, where it is worth while. */
export function allocatePooled(byteCount: number): Buffer {
  return byteCount < leastBytes ? Buffer.allocUnsafe(byteCount) : takePooled(byteCount).subarray(0, byteCount);
}

/** A copy of bytes that are only valid now. */
export function copyPooled(bytes: Uint8Array): Buffer {
  const copy = allocatePooled(bytes.length);
  copy.set(bytes);
  return copy;
}

export function isPooled(bytes: Buffer): boolean {
  return classOf(bytes) !== null;
}

/** Nobody looks at these bytes any more. Any view of the buffer will do, once; a buffer that is none of the pool's is left to the collector. */
export function givePooled(bytes: Buffer): void {
  const sizeClass = classOf(bytes);
  if (sizeClass !== null && sizeClass.free.length < sizeClass.maxFree) sizeClass.free.push(Buffer.from(bytes.buffer));
}

function classOf({ buffer: { byteLength } }: Buffer): SizeClass | null {
  if (byteLength === usual.bytes) return usual;
  return byteLength === large.bytes ? large : null;
}
