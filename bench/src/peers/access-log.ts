// The access log of a Node peer: a line of JSON a request by pino, gathered to 64 KiB and written at least once a second, as nginx is told to.
import type { Server } from "node:http";
import { destination, pino } from "pino";

/** Logs every answer of the servers into the file at `path`; null: none. */
export function logRequests(servers: readonly Server[], path: string | null): void {
  if (path === null) return;
  const file = destination({ dest: path, sync: false, minLength: 64 * 1024, maxWrite: 128 * 1024 });
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
