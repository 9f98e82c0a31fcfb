// HTTP/1.1 through our own codec, for cleartext connections and TLS sockets alike.
import type { Socket } from "node:net";
import type { Downstream } from "../../../exchange/downstream.ts";
import type { HttpConnection } from "../connection.ts";
import type { ListenerState } from "../listener-state.ts";
import { ConnectionClock } from "./clock.ts";
import { OwnHttp1Connection } from "./http1-connection.ts";

export class OwnHttp1Server {
  readonly #state: ListenerState;
  readonly #clock: ConnectionClock;

  constructor(state: ListenerState) {
    this.#state = state;
    const { idleTimeoutMs, requestHeadTimeoutMs } = state.context.limits;
    this.#clock = new ConnectionClock([idleTimeoutMs, requestHeadTimeoutMs]);
  }

  /** @param socket a TCP or TLS socket from which nothing was read, or put back */
  accept(socket: Socket, downstream: Downstream): HttpConnection {
    const { context, isDraining } = this.#state;
    const connection = new OwnHttp1Connection({ socket, downstream, context, isDraining });
    this.#clock.add(connection);
    socket.once("close", () => this.#clock.delete(connection));
    return connection;
  }

  /** Stops the clock; open connections go on. */
  close(): void {
    this.#clock.stop();
  }
}
