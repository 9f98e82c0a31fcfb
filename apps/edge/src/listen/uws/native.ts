// The parts of uWebSockets.js 3.0.6 that its own type declarations leave out.
import type {
  AppOptions,
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
  WebSocket,
} from "uWebSockets.js";

/** An app with `filter`, which is called with 1 for every connection accepted and with -1 when it is gone. */
export interface NativeApp extends Omit<TemplatedApp, "listen" | "filter" | "ws"> {
  ws(pattern: string, behavior: NativeWebSocketBehavior): void;
  filter(handler: (res: HttpResponse, change: 1 | -1) => void): void;
  listen(host: string, port: number, options: number, handler: (socket: us_listen_socket | false) => void): void;
}

/** A WebSocket with the calls that send one message in pieces. Returns of `send` do not matter: nothing is dropped. */
export interface NativeWebSocket extends Omit<WebSocket<unknown>, "cork"> {
  cork(write: () => void): void;
  sendFirstFragment(part: Uint8Array, isBinary: boolean, compress: boolean): number;
  sendFragment(part: Uint8Array, compress: boolean): number;
  sendLastFragment(part: Uint8Array, compress: boolean): number;
}

export interface NativeWebSocketBehavior {
  readonly maxPayloadLength: number;
  readonly idleTimeout: number;
  readonly sendPingsAutomatically: boolean;
  /** 0: no limit, and so nothing dropped. */
  readonly maxBackpressure: number;
  upgrade(res: HttpResponse, request: HttpRequest, context: us_socket_context_t): void;
  open(ws: NativeWebSocket): void;
  message(ws: NativeWebSocket, message: ArrayBuffer, isBinary: boolean): void;
  ping(ws: NativeWebSocket, message: ArrayBuffer): void;
  pong(ws: NativeWebSocket, message: ArrayBuffer): void;
  drain(ws: NativeWebSocket): void;
  close(ws: NativeWebSocket, code: number, message: ArrayBuffer): void;
}

/** SO_REUSEPORT: every worker has its own socket on the port and the kernel spreads connections over them. */
export const reusePort = 0;

export type { AppOptions, HttpResponse, us_listen_socket };
