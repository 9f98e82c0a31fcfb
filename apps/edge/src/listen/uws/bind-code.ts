// Why uWebSockets.js could not bind: it only says that it could not, so Node.js is asked to bind the same address.
import { createServer } from "node:net";

/** The errno name; `EADDRINUSE` when the address turns out to be free, for it was not a moment ago. */
export function findBindCode(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "EADDRINUSE"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve("EADDRINUSE")));
  });
}
