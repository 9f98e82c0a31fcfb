// How the engine is told to treat WebSockets: everything that ends or answers by itself is off, but its pongs.
import type { HttpRequest, us_socket_context_t } from "uWebSockets.js";
import type { HttpResponse, NativeWebSocket, NativeWebSocketBehavior } from "../native.ts";
import type { WebSocketData } from "./exchange.ts";
import { opcode } from "./frames.ts";

export type OnUpgrade = (res: HttpResponse, request: HttpRequest, context: us_socket_context_t) => void;

/** @param maxMessageBytes a longer message of a client closes its connection */
export function webSocketBehavior(maxMessageBytes: number, onUpgrade: OnUpgrade): NativeWebSocketBehavior {
  const exchangeOf = (ws: NativeWebSocket) => (ws.getUserData() as WebSocketData).exchange;
  return {
    maxPayloadLength: maxMessageBytes,
    // The proxy's stream idle timeout counts for all; the engine would close after 120 s.
    idleTimeout: 0,
    sendPingsAutomatically: false,
    // No message is ever dropped: the upstream is held back instead.
    maxBackpressure: 0,
    upgrade: onUpgrade,
    open: (ws) => exchangeOf(ws).opened(ws),
    message: (ws, message, isBinary) => exchangeOf(ws).received(isBinary ? opcode.binary : opcode.text, message),
    ping: (ws, message) => exchangeOf(ws).received(opcode.ping, message),
    pong: (ws, message) => exchangeOf(ws).received(opcode.pong, message),
    drain: (ws) => exchangeOf(ws).drained(),
    close: (ws, code, message) => exchangeOf(ws).closed(code, message),
  };
}
