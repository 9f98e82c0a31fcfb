// HTTP/2 through our own codec: the connections of a listener and their clock.
import type { Socket } from "node:net";
import type { Downstream } from "../../../exchange/downstream.ts";
import type { HttpConnection } from "../connection.ts";
import type { ListenerState } from "../listener-state.ts";
import { ConnectionClock } from "./clock.ts";
import { OwnHttp2Connection } from "./http2-connection.ts";

export class OwnHttp2Server {
  readonly #state: ListenerState;
  readonly #clock: ConnectionClock;

  constructor(state: ListenerState) {
    this.#state = state;
    const { idleTimeoutMs, requestHeadTimeoutMs } = state.context.limits;
    this.#clock = new ConnectionClock([idleTimeoutMs, requestHeadTimeoutMs]);
  }

  /** @param socket a TCP or TLS socket from which nothing was read, or put back */
  accept(socket: Socket, downstream: Downstream): HttpConnection {
    const connection = new OwnHttp2Connection({ socket, downstream, state: this.#state });
    this.#clock.add(connection);
    socket.once("close", () => this.#clock.delete(connection));
    return connection;
  }

  /** Stops the clock; open connections go on. */
  close(): void {
    this.#clock.stop();
  }
}
