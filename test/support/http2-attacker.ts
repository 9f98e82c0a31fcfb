// A client that speaks HTTP/2 frame by frame, as no library would let it, and reads only as much as tells how the server took it.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { frame, frameType, preface } from "@sluice/http2-frames";

/** Flags: of SETTINGS and PING; of DATA and HEADERS; of HEADERS. */
export const acknowledgement = 1;
export const endStream = 1;
export const endHeaders = 4;
export const enhanceYourCalm = 11;

/** `:authority: a` as a literal. */
const authorityA = [0x01, 0x01, 0x61];
/** `:method: GET`, `:scheme: http`, `:path: /` by index. */
export const getBlock = Buffer.from([0x82, 0x86, 0x84, ...authorityA]);
export const postBlock = Buffer.from([0x83, 0x86, 0x84, ...authorityA]);

/** Head of a request on cleartext; neither text longer than 126 bytes. */
export function headBlock(method: "GET" | "POST", authority: string, path = "/"): Buffer {
  const literal = (nameIndex: number, text: string) =>
    Buffer.concat([Buffer.from([nameIndex, text.length]), Buffer.from(text)]);
  const [first] = method === "GET" ? getBlock : postBlock;
  return Buffer.concat([Buffer.from([first ?? 0, 0x86]), literal(0x04, path), literal(0x01, authority)]);
}

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly code: number;
}

/** Reads a connection to its end and remembers the error code of its GOAWAY. */
export class Attacker {
  readonly socket: Socket;
  /** Resolves when the connection is gone, however that came. */
  readonly closed: Promise<void>;
  #received: Buffer = Buffer.alloc(0);

  /** @param settings payload of the first SETTINGS */
  constructor(socket: Socket, settings: Uint8Array = Buffer.alloc(0)) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    socket.write(Buffer.concat([preface, frame(frameType.settings, 0, 0, settings)]));
  }

  static async connect(port: number): Promise<Attacker> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Attacker(socket);
  }

  /** The frames received so far; with an error code where there is one (RST_STREAM and GOAWAY), else 0. */
  get frames(): ReceivedFrame[] {
    const frames: ReceivedFrame[] = [];
    const bytes = this.#received;
    for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      const type = bytes.readUInt8(at + 3);
      const codeAt = type === frameType.goaway ? at + 13 : type === frameType.reset ? at + 9 : -1;
      const code = codeAt < 0 || codeAt + 4 > bytes.length ? 0 : bytes.readUInt32BE(codeAt);
      frames.push({ type, flags: bytes.readUInt8(at + 4), stream: bytes.readUInt32BE(at + 5), code });
    }
    return frames;
  }

  /** Of the last GOAWAY; null without one. */
  get goawayCode(): number | null {
    return this.frames.findLast(({ type }) => type === frameType.goaway)?.code ?? null;
  }

  /** Writes pieces until the server closes or there are none left; resolves to how many went out. */
  async flood(pieces: number, piece: (index: number) => Buffer): Promise<number> {
    for (let index = 0; index < pieces; index++) {
      if (!this.socket.writable) return index;
      if (!this.socket.write(piece(index))) {
        // One after the other is the point.
        // eslint-disable-next-line no-await-in-loop
        await Promise.race([once(this.socket, "drain").catch(() => {}), this.closed]);
      }
    }
    return pieces;
  }
}
