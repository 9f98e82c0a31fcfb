// HTTP/1.1 through our own codec, for cleartext connections and TLS sockets alike: the connections of a listener and their one clock.
import type { Socket } from "node:net";
import type { Downstream } from "../../../exchange/downstream.ts";
import type { HttpConnection } from "../connection.ts";
import type { ListenerState } from "../listener-state.ts";
import { OwnHttp1Connection } from "./http1-connection.ts";

const maxCheckIntervalMs = 1000;

export class OwnHttp1Server {
  readonly #state: ListenerState;
  readonly #connections = new Set<OwnHttp1Connection>();
  /** One timer for all connections: a timer each would be set and cleared with every request. */
  readonly #clock: NodeJS.Timeout;

  constructor(state: ListenerState) {
    this.#state = state;
    const { idleTimeoutMs, requestHeadTimeoutMs } = state.context.limits;
    const shortest = Math.max(1, Math.min(maxCheckIntervalMs, idleTimeoutMs, requestHeadTimeoutMs));
    this.#clock = setInterval(() => this.#checkTimes(), shortest).unref();
  }

  /** @param socket a TCP or TLS socket from which nothing was read, or put back */
  accept(socket: Socket, downstream: Downstream): HttpConnection {
    const { context, isDraining } = this.#state;
    const connection = new OwnHttp1Connection({ socket, downstream, context, isDraining });
    this.#connections.add(connection);
    socket.once("close", () => this.#connections.delete(connection));
    return connection;
  }

  /** Stops the clock; open connections go on. */
  close(): void {
    clearInterval(this.#clock);
  }

  #checkTimes(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.checkTime(nowMs);
  }
}
