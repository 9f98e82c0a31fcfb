// The end of a connection whose client may still read what it was sent.
import type { Socket } from "node:net";

/** A client that takes nothing of what it was sent for so long must not hold its place. */
const stalledMs = 10_000;
/** How long a client that has been sent everything may take to end its side. */
const lingerMs = 1000;

/**
 * Ends our half once everything is sent, and then the connection.
 *
 * @param isAllRead nothing more is expected of the client. Else what it still sends is read and thrown away: unread it would make its TCP
 * throw away our last bytes (RFC 9112, 9.6).
 */
export function sayFarewell(socket: Socket, isAllRead = false): void {
  // Looks at what is still being written as well.
  socket.setTimeout(stalledMs, () => socket.destroy());
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
