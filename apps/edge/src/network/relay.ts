// Copying from one socket to another. What is held is bounded: when the taker is slow the giver is not read, so a pair of sockets holds
// at most a read and a write buffer a direction.
import type { Socket } from "node:net";

/**
 * Copies bytes and the end of `from` to `to`, whose other half goes on. Both must keep half-open.
 *
 * @param onMoved called for every piece that has arrived, and with 0 when a slow taker has taken what was held for it
 */
export function relay({ socket: from, carrier }: Side, to: Socket, onMoved: (byteCount: number) => void): void {
  from.on("data", (chunk: Buffer) => {
    onMoved(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  const onEnd = (): void => confirmEnd({ socket: from, carrier }, () => to.end());
  // A paused socket without data tells its end at once, maybe before anyone asked: a client that says nothing and ends its half.
  if (from.readableEnded) onEnd();
  else from.on("end", onEnd);
  to.on("drain", () => {
    onMoved(0);
    from.resume();
  });
}

const noBytes = Buffer.alloc(0);

/**
 * Calls back when the peer has really ended its half. libuv reports a reset that comes with data still unread as an end (EPOLLHUP after a
 * short read), and a client would take a part for the whole. Writing nothing tells: on a socket that was reset it fails, and the socket
 * closes with that error. Over TLS Node drops the error of writing nothing, so there the TCP socket below is asked. Once our own half has
 * been ended nothing can be asked any more, and libuv is believed.
 */
function confirmEnd({ socket, carrier }: Side, onConfirmed: () => void): void {
  if (socket.writableEnded) return onConfirmed();
  if (socket !== carrier && isReset(carrier)) {
    socket.destroy();
    return;
  }
  if (socket.writableLength === 0) {
    socket.write(noBytes, (error) => {
      if (error === null || error === undefined) onConfirmed();
    });
    return;
  }
  // A slow reader: behind what it has not taken yet the answer would come late. libuv tries that write again in this very turn.
  setImmediate(() => {
    if (!socket.destroyed) onConfirmed();
  });
}

/**
 * Whether a TCP socket that was connected is no more; one whose peer has only ended its half still is. Writing nothing to it would tell as
 * well, but not safely below TLS: when that write has to wait, Node takes its completion for that of a TLS record. `remoteAddress` is
 * remembered, so the handle is asked, which a Unix socket's cannot be.
 */
function isReset(carrier: Socket): boolean {
  const { _handle: handle } = carrier as unknown as { _handle: { getpeername?(out: object): number } | null };
  return handle?.getpeername !== undefined && handle.getpeername({}) !== 0;
}

/** Whether a closed socket went as it should: both sides said all they had to say. */
export function hasEndedWell(socket: Socket): boolean {
  return socket.readableEnded && socket.writableFinished;
}

/** One side of a forwarded connection. */
export interface Side {
  /** The bytes as they are copied. */
  readonly socket: Socket;
  /** The TCP socket below; `socket` itself where TLS is neither ended nor begun. */
  readonly carrier: Socket;
}

/**
 * Ends a side because its counterpart is gone without having ended well. A reset is passed on as a reset, under TLS too, where nothing is said
 * before it: nobody may take the part for the whole. Where the counterpart's end had been passed on already, what it sent is whole and is delivered.
 */
export function endAbruptly({ socket, carrier }: Side): void {
  if (socket.writableEnded) socket.destroySoon();
  else reset(carrier);
}

/** Closes with RST, at once; what is still to be sent is dropped. The socket's own end must not have been asked for. */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  // Node would wait for the connection in order to reset it.
  if (socket.connecting) {
    socket.destroy();
    return;
  }
  // `resetAndDestroy` sends all that is buffered and a FIN before the RST, by way of `destroySoon`: the peer would see a proper end.
  socket.destroySoon = () => {
    socket.destroy();
  };
  socket.resetAndDestroy();
}
