// xxHash64 (Cyan4973/xxHash, XXH64), the hash of Envoy's consistent hashing, over strings of one char a byte. In halves of 32 bits, since
// BigInt would allocate for every step of every request. Held to vectors recorded from the reference.

/** 64 bits in two signed halves: small integers, which V8 keeps without allocating. */
export class Hash64 {
  high = 0;
  low = 0;

  /** The highest 53 bits as a whole number: orders hashes, but for the 11 bits that a double has no room for. */
  get top53(): number {
    return (this.high >>> 0) * 2 ** 21 + (this.low >>> 11);
  }

  /** The remainder of the division by `divisor` (at most 2^26, so that every product stays exact). */
  modulo(divisor: number): number {
    const highPart = (((this.high >>> 0) % divisor) * (2 ** 32 % divisor)) % divisor;
    return (highPart + ((this.low >>> 0) % divisor)) % divisor;
  }

  toHex(): string {
    return hex(this.high) + hex(this.low);
  }
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}

/** The five primes of XXH64, as halves. */
const p1h = 0x9e3779b1 | 0;
const p1l = 0x85ebca87 | 0;
const p2h = 0xc2b2ae3d | 0;
const p2l = 0x27d4eb4f | 0;
const p3h = 0x165667b1 | 0;
const p3l = 0x9e3779f9 | 0;
const p4h = 0x85ebca77 | 0;
const p4l = 0xc2b2ae63 | 0;
const p5h = 0x27d4eb2f | 0;
const p5l = 0x165667c5 | 0;

const acc = new Hash64();
const lane = new Hash64();
const stripes = [new Hash64(), new Hash64(), new Hash64(), new Hash64()] as const;

function set(target: Hash64, high: number, low: number): void {
  target.high = high | 0;
  target.low = low | 0;
}

function add(target: Hash64, high: number, low: number): void {
  const sum = (target.low >>> 0) + (low >>> 0);
  target.high = (target.high + high + (sum > 0xffffffff ? 1 : 0)) | 0;
  target.low = sum | 0;
}

/** The high half of the product of two unsigned numbers of 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) | 0;
}

function multiply(target: Hash64, high: number, low: number): void {
  const { high: targetHigh, low: targetLow } = target;
  target.high = (multiplyHigh(targetLow, low) + Math.imul(targetHigh, low) + Math.imul(targetLow, high)) | 0;
  target.low = Math.imul(targetLow, low);
}

/** By 1 to 31 bits to the left. */
function rotate(target: Hash64, bits: number): void {
  const { high, low } = target;
  target.high = (high << bits) | (low >>> (32 - bits));
  target.low = (low << bits) | (high >>> (32 - bits));
}

function xor(target: Hash64, other: Hash64): void {
  target.high ^= other.high;
  target.low ^= other.low;
}

function word32(text: string, at: number): number {
  return (
    (text.charCodeAt(at) & 255) |
    ((text.charCodeAt(at + 1) & 255) << 8) |
    ((text.charCodeAt(at + 2) & 255) << 16) |
    ((text.charCodeAt(at + 3) & 255) << 24)
  );
}

function readLane(text: string, at: number): void {
  set(lane, word32(text, at + 4), word32(text, at));
}

/** XXH64_round: `target` takes the lane in. */
function round(target: Hash64): void {
  multiply(lane, p2h, p2l);
  add(target, lane.high, lane.low);
  rotate(target, 31);
  multiply(target, p1h, p1l);
}

/** The stripes of 32 bytes; returns where they end. */
function takeStripes(text: string, seed: number): number {
  const [a, b, c, d] = stripes;
  for (const stripe of stripes) set(stripe, 0, seed);
  add(a, p1h, p1l);
  add(a, p2h, p2l);
  add(b, p2h, p2l);
  // Minus the first prime: its complement, since its low half is not 0.
  add(d, ~p1h, -p1l);
  let at = 0;
  while (at + 32 <= text.length) {
    for (const stripe of stripes) {
      readLane(text, at);
      round(stripe);
      at += 8;
    }
  }
  mergeStripes(a, b, c, d);
  return at;
}

function mergeStripes(a: Hash64, b: Hash64, c: Hash64, d: Hash64): void {
  set(acc, 0, 0);
  mergeRotated(a, 1);
  mergeRotated(b, 7);
  mergeRotated(c, 12);
  mergeRotated(d, 18);
  for (const stripe of stripes) {
    set(lane, stripe.high, stripe.low);
    set(stripe, 0, 0);
    round(stripe);
    xor(acc, stripe);
    multiply(acc, p1h, p1l);
    add(acc, p4h, p4l);
  }
}

function mergeRotated(stripe: Hash64, bits: number): void {
  set(lane, stripe.high, stripe.low);
  rotate(lane, bits);
  add(acc, lane.high, lane.low);
}

/** What is left behind the stripes: words of eight, of four, then single bytes. */
function takeTail(text: string, start: number): void {
  let at = start;
  for (; at + 8 <= text.length; at += 8) {
    readLane(text, at);
    multiply(lane, p2h, p2l);
    rotate(lane, 31);
    multiply(lane, p1h, p1l);
    xor(acc, lane);
    rotate(acc, 27);
    multiply(acc, p1h, p1l);
    add(acc, p4h, p4l);
  }
  if (at + 4 <= text.length) {
    set(lane, 0, word32(text, at));
    multiply(lane, p1h, p1l);
    xor(acc, lane);
    rotate(acc, 23);
    multiply(acc, p2h, p2l);
    add(acc, p3h, p3l);
    at += 4;
  }
  for (; at < text.length; at++) {
    set(lane, 0, text.charCodeAt(at) & 255);
    multiply(lane, p5h, p5l);
    xor(acc, lane);
    rotate(acc, 11);
    multiply(acc, p1h, p1l);
  }
}

function avalanche(): void {
  acc.low ^= acc.high >>> 1;
  multiply(acc, p2h, p2l);
  set(lane, acc.high >>> 29, (acc.low >>> 29) | (acc.high << 3));
  xor(acc, lane);
  multiply(acc, p3h, p3l);
  acc.low ^= acc.high;
}

/**
 * Writes XXH64 of `text` into `target`, and allocates nothing. Chars are taken as bytes (the lower eight bits).
 *
 * @param seed 0 or a small positive number
 */
export function xxHash64(text: string, target: Hash64, seed = 0): void {
  let at = 0;
  if (text.length >= 32) {
    at = takeStripes(text, seed);
  } else {
    set(acc, 0, seed);
    add(acc, p5h, p5l);
  }
  add(acc, 0, text.length);
  takeTail(text, at);
  avalanche();
  set(target, acc.high, acc.low);
}
