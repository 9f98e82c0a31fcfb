// Writes whose buffers go back to the pool.
import type { Socket } from "node:net";
import { givePooled, isPooled } from "../../../codec/pooled-buffer.ts";

/** As `socket.write`. The bytes belong to the socket, and to the pool as soon as it has taken them all. */
export function writePooled(socket: Socket, bytes: Buffer): boolean {
  if (!isPooled(bytes)) return socket.write(bytes);
  return socket.write(bytes, (error) => {
    // After a failure it is not known who still looks at them.
    if (error === null || error === undefined) givePooled(bytes);
  });
}
