// The end of a connection whose client may still read what it was sent.
import type { Socket } from "node:net";

/** A client that takes nothing of what it was sent for so long, and says nothing, must not hold its place. */
const stalledMs = 10_000;
/** One that goes on talking may take so long for the next piece of what it was sent (96 KiB at most). */
const slowestMs = 60_000;
/** How long a client that has been sent everything may take to end its side. */
const lingerMs = 1000;

/**
 * Ends our half once everything is sent, and then the connection.
 *
 * @param isAllRead nothing more is expected of the client. Else what it still sends is read and thrown away: unread it would make its TCP
 * throw away our last bytes (RFC 9112, 9.6).
 */
export function sayFarewell(socket: Socket, isAllRead = false): void {
  // Looks at what is still being written as well, but begins anew with every byte that the client sends.
  socket.setTimeout(stalledMs, () => socket.destroy());
  endWithoutProgress(socket, slowestMs);
  if (isAllRead) {
    socket.destroySoon();
    return;
  }
  socket.resume();
  socket.end(() => {
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
  });
}

/** Ends it when nothing has left in so long. Behind the end nothing is added to what is unsent: whatever changes is progress. */
export function endWithoutProgress(socket: Socket, everyMs: number): void {
  let unsentBytes = socket.writableLength;
  const watch = setInterval(() => {
    if (socket.writableLength === unsentBytes) socket.destroy();
    unsentBytes = socket.writableLength;
  }, everyMs);
  socket.once("close", () => clearInterval(watch));
}
