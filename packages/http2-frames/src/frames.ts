// HTTP/2 frames and HPACK literals made by hand for tables of cases, and what was received cut into frames again.

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;
export const pushPromise = 5;

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export function frame(type: number, flagBits: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flagBits;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A literal field that is not indexed, its name new; both shorter than 127 bytes. */
export function literal(name: string, value: string): Buffer {
  const text = (part: string) => Buffer.concat([Buffer.of(part.length), Buffer.from(part, "latin1")]);
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

export type Fields = readonly (readonly [name: string, value: string])[];

export function block(fields: Fields): Buffer {
  return Buffer.concat(fields.map(([name, value]) => literal(name, value)));
}

const pseudo = (method: string): Fields => [
  [":method", method],
  [":scheme", "https"],
  [":path", "/"],
  [":authority", "a.example"],
];
export const getFields = pseudo("GET");
export const postFields = pseudo("POST");

/** A complete GET, and a POST whose body is to come. */
export const get = (stream: number, more: Fields = []): Buffer =>
  frame(frameType.headers, flags.endHeaders | flags.endStream, stream, block([...getFields, ...more]));
export const post = (stream: number, more: Fields = []): Buffer =>
  frame(frameType.headers, flags.endHeaders, stream, block([...postFields, ...more]));
/** A complete request of these fields alone. */
export const request = (fields: Fields): Buffer =>
  frame(frameType.headers, flags.endHeaders | flags.endStream, 1, block(fields));

export const data = (stream: number, text: string, isLast = false): Buffer =>
  frame(frameType.data, isLast ? flags.endStream : 0, stream, Buffer.from(text, "latin1"));
export const reset = (stream: number, code = 8): Buffer => frame(frameType.reset, 0, stream, uint32(code));
export const update = (stream: number, increment: number): Buffer =>
  frame(frameType.windowUpdate, 0, stream, uint32(increment));
export const ping = (text = "12345678", flag = 0): Buffer =>
  frame(frameType.ping, flag, 0, Buffer.from(text, "latin1"));

export function settings(...values: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * values.length);
  for (const [i, [id, value]] of values.entries()) {
    payload.writeUInt16BE(id, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  }
  return frame(frameType.settings, 0, 0, payload);
}

/** Payload of PRIORITY, and what HEADERS carry with the flag. */
export function priority(parent: number, weight = 15): Buffer {
  return Buffer.concat([uint32(parent), Buffer.of(weight)]);
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The whole frames of `bytes`; a part of one at the end is left out. */
export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at + 9 <= bytes.length) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream,
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}

export const isGoAwayFrame = ({ type }: Frame): boolean => type === frameType.goaway;
