// The access log of a Node peer: a line of JSON a request by pino, gathered to 4 KiB as pino's documentation proposes, and written at least
// once a second. With nginx's 64 KiB a request costs them more: pino counts what it has gathered for every line.
import type { Server } from "node:http";
import { destination, pino } from "pino";

/** Logs every answer of the servers into the file at `path`; null: none. */
export function logRequests(servers: readonly Server[], path: string | null): void {
  if (path === null) return;
  const file = destination({ dest: path, sync: false, minLength: 4096 });
  setInterval(() => file.flush(), 1000).unref();
  const log = pino({ base: null }, file);
  for (const server of servers) {
    server.prependListener("request", ({ method, url, headers, socket }, response) => {
      const startedAt = performance.now();
      response.once("finish", () =>
        log.info({
          address: socket.remoteAddress,
          method,
          url,
          status: response.statusCode,
          userAgent: headers["user-agent"],
          referer: headers.referer,
          durationMs: performance.now() - startedAt,
        }),
      );
    });
  }
}
