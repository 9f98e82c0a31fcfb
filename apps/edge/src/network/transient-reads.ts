// Reading what comes on an accepted socket into one buffer for all of them, as connections to upstreams are read. A read into memory of its own is
// 64 KiB that V8 hears of and the kernel clears. Node offers a buffer of one's own (`onread`) only for sockets that one opens, so those
// that were accepted are told of it as Node tells its own; where that cannot be done they are read like any stream.
import { Socket, type SocketConstructorOpts } from "node:net";
import { Readable } from "node:stream";
import { pieceSize } from "../exchange/piece-size.ts";
import { takeReadBuffer } from "../upstream/read-buffers.ts";

/** What `onread` leaves on a socket. */
interface Fields {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly generator: symbol;
}

interface ReadHandle {
  useUserBuffer(bytes: Buffer): void;
}

/** Null where this Node does not keep `onread` as the versions do that this was written for. */
const fields = findFields();

/** Ends transient reads: what comes from now on is the stream's, whose buffer may hold it. */
export type ReleaseReads = () => void;

/**
 * Calls `onBytes` with what comes, and with what the stream's buffer holds. Pausing, resuming, errors and the end are the socket's as ever; a
 * socket that is paused has to be resumed. While it is paused the stream reads on until its own buffer is full, as any does: that a client has left
 * is noticed then, too.
 *
 * @param onBytes gets bytes that are valid until it returns. It must not write nothing to a TLS socket: Node decrypts then, into the same memory
 */
export function readTransiently(socket: Socket, onBytes: (bytes: Buffer) => void): ReleaseReads {
  let isReleased = false;
  // Also where they are read into our buffer: what was put back comes this way.
  socket.on("data", onBytes);
  const handle = handleOf(socket);
  if (fields !== null && handle !== null) {
    const bytes = takeReadBuffer(pieceSize.small);
    Object.assign(socket, {
      [fields.buffer]: bytes,
      [fields.generator]: null,
      // With a buffer of one's own Node's stops reading at once.
      pause: () => Readable.prototype.pause.call(socket),
      [fields.callback]: (count: number): boolean => {
        const piece = bytes.subarray(0, count);
        if (isReleased || socket.isPaused() || socket.readableLength > 0) return socket.push(Buffer.from(piece));
        onBytes(piece);
        return true;
      },
    });
    handle.useUserBuffer(bytes);
  }
  return () => {
    isReleased = true;
    socket.off("data", onBytes);
  };
}

function handleOf(socket: Socket): ReadHandle | null {
  const { _handle: handle } = socket as unknown as { readonly _handle?: Partial<ReadHandle> | null };
  return typeof handle?.useUserBuffer === "function" ? (handle as ReadHandle) : null;
}

function findFields(): Fields | null {
  const onread = { buffer: Buffer.alloc(1), callback: () => true };
  const symbols = Object.getOwnPropertySymbols(new Socket({ onread } as SocketConstructorOpts));
  const find = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [buffer, callback, generator] = ["kBuffer", "kBufferCb", "kBufferGen"].map(find);
  if (buffer === undefined || callback === undefined || generator === undefined) return null;
  return { buffer, callback, generator };
}
