// The connections of a listener that our own codec reads, of one version of HTTP, and their clock.
import type { Socket } from "node:net";
import type { Downstream } from "../../../exchange/downstream.ts";
import type { HttpConnection } from "../connection.ts";
import type { ListenerState } from "../listener-state.ts";
import { ConnectionClock, type Timed } from "./clock.ts";

export interface OwnConnectionSource {
  /** A TCP or TLS socket from which nothing was read, or put back. */
  readonly socket: Socket;
  readonly downstream: Downstream;
  readonly state: ListenerState;
}

type OwnConnectionClass = new (source: OwnConnectionSource) => HttpConnection & Timed;

export class OwnServer {
  readonly #state: ListenerState;
  readonly #connectionClass: OwnConnectionClass;
  readonly #clock: ConnectionClock;

  constructor(state: ListenerState, connectionClass: OwnConnectionClass) {
    this.#state = state;
    this.#connectionClass = connectionClass;
    const { idleTimeoutMs, requestHeadTimeoutMs, streamIdleTimeoutMs } = state.context.limits;
    this.#clock = new ConnectionClock([idleTimeoutMs, requestHeadTimeoutMs, streamIdleTimeoutMs || Infinity]);
  }

  /** @param socket a TCP or TLS socket from which nothing was read, or put back */
  accept(socket: Socket, downstream: Downstream): HttpConnection {
    const connection = new this.#connectionClass({ socket, downstream, state: this.#state });
    this.#clock.add(connection);
    socket.once("close", () => this.#clock.delete(connection));
    return connection;
  }

  /** Stops the clock; open connections go on. */
  close(): void {
    this.#clock.stop();
  }
}
