// HTTP/2 frames as no library would write them: HPACK literals with any bytes, bodies of any length.

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const frameTypes = { data: 0, headers: 1, settings: 4 } as const;
const endStream = 1;
const endHeaders = 4;

/** A frame, one character a byte. */
function frame(type: keyof typeof frameTypes, flags: number, payload: string, stream = 1): string {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(frameTypes[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return head.toString("latin1") + payload;
}

/** RFC 7541, 5.1 with a prefix of seven bits. */
function integer(value: number): string {
  if (value < 127) return String.fromCharCode(value);
  let text = "\u007f";
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) text += String.fromCharCode((rest % 128) + 128);
  return text + String.fromCharCode(rest);
}

/** RFC 7541, 6.2.2: a literal that is not indexed, with a literal name, neither in Huffman code. */
function literal(name: string, value: string): string {
  return `\u0000${integer(name.length)}${name}${integer(value.length)}${value}`;
}

/** A connection with one request on stream 1: preface, settings, headers, and the body where there is one. */
export function rawHttp2Request(fields: readonly (readonly [name: string, value: string])[], body?: string): string {
  const block = fields.map(([name, value]) => literal(name, value)).join("");
  const flags = endHeaders | (body === undefined ? endStream : 0);
  const data = body === undefined ? "" : frame("data", endStream, body);
  return preface + frame("settings", 0, "", 0) + frame("headers", flags, block) + data;
}

/** True once stream 1 has ended, was reset, or the connection was given up. */
export function hasStreamEnded(text: string): boolean {
  for (let at = 0; at + 9 <= text.length;) {
    const head = Buffer.from(text.slice(at, at + 9), "latin1");
    const [type, flags] = [head.readUInt8(3), head.readUInt8(4)];
    const stream = head.readUInt32BE(5);
    const isEnd = (type === frameTypes.data || type === frameTypes.headers) && (flags & endStream) !== 0;
    if (type === goAway || (stream === 1 && (isEnd || type === resetStream))) return true;
    at += 9 + head.readUIntBE(0, 3);
  }
  return false;
}

const resetStream = 3;
const goAway = 7;
