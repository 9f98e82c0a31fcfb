// The parts of uWebSockets.js 3.0.6 that its own type declarations leave out.
import type { AppOptions, HttpResponse, TemplatedApp, us_listen_socket } from "uWebSockets.js";

/** An app with `filter`, which is called with 1 for every connection accepted and with -1 when it is gone. */
export interface NativeApp extends Omit<TemplatedApp, "listen" | "filter"> {
  filter(handler: (res: HttpResponse, change: 1 | -1) => void): void;
  listen(host: string, port: number, options: number, handler: (socket: us_listen_socket | false) => void): void;
}

/** SO_REUSEPORT: every worker has its own socket on the port and the kernel spreads connections over them. */
export const reusePort = 0;

export type { AppOptions, HttpResponse, us_listen_socket };
