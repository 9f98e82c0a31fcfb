// What frames of RFC 6455 are made of, and how a client's are written: masked, each with a key of its own.
import { randomFillSync } from "node:crypto";

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Of a control frame's payload (RFC 6455, 5.5). */
export const maxControlBytes = 125;

/** Keys must not be guessable by whoever chooses the payload (RFC 6455, 10.3); drawn ahead, as a system call a frame would cost more. */
const keys = Buffer.allocUnsafeSlow(4096);
let nextKey = keys.length;

/** A whole message or control frame, as a client sends it. */
export function encodeClientFrame(code: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const lengthBytes = length <= 125 ? 0 : length <= 0xffff ? 2 : 8;
  const keyAt = 2 + lengthBytes;
  const frame = Buffer.allocUnsafe(keyAt + 4 + length);
  frame[0] = 0x80 | code;
  if (lengthBytes === 0) {
    frame[1] = 0x80 | length;
  } else if (lengthBytes === 2) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
    frame.writeUInt32BE(length >>> 0, 6);
  }
  if (nextKey === keys.length) {
    randomFillSync(keys);
    nextKey = 0;
  }
  keys.copy(frame, keyAt, nextKey, nextKey + 4);
  nextKey += 4;
  const dataAt = keyAt + 4;
  for (let i = 0; i < length; i++) frame[dataAt + i] = (payload[i] ?? 0) ^ (frame[keyAt + (i & 3)] ?? 0);
  return frame;
}

/** Payload of a close frame; empty for the codes that stand for "none was sent" (RFC 6455, 7.4.1). */
export function closePayload(code: number, reason: Uint8Array): Uint8Array {
  if (code < 1000 || code === 1005 || code === 1006) return new Uint8Array(0);
  const payload = Buffer.allocUnsafe(2 + reason.length);
  payload.writeUInt16BE(code);
  payload.set(reason, 2);
  return payload;
}
