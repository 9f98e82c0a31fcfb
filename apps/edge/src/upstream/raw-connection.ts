// A connection to an endpoint that carries raw bytes instead of requests: opened in the cluster's time, counted from the attempt
// to the close, never pooled.
import { connect, type Socket } from "node:net";
import type { FailureCode } from "../exchange/failure.ts";
import type { ClusterCounters } from "./cluster-counters.ts";

export interface RawConnectionSource {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  /** Null: the system's default. */
  readonly keepaliveMs: number | null;
  readonly counters: ClusterCounters;
  /** The endpoint: for its balancer the connection is a request under way until it closes. */
  readonly load: { activeRequests: number };
}

/** Called once, and not at all when the socket is destroyed before. */
export interface RawConnectEvents {
  onConnected(socket: Socket): void;
  /** The socket is closed. `reason` is the system's code, `ECONNREFUSED`, or empty. */
  onConnectFailed(failure: FailureCode, reason: string): void;
}

/** Opens it. The socket keeps its other half open when one ends. */
export function openRawConnection(source: RawConnectionSource, events: RawConnectEvents): Socket {
  const { host, port, keepaliveMs, counters } = source;
  const keepalive = keepaliveMs === null ? {} : { keepAlive: true, keepAliveInitialDelay: keepaliveMs };
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true, ...keepalive });
  countUntilClosed(socket, source);
  const settle = (): void => {
    clearTimeout(timer);
    socket.off("connect", onConnect).off("error", onError).off("close", settle);
  };
  const fail = (failure: FailureCode, reason: string): void => {
    settle();
    counters.connectFailureTotal++;
    socket.on("error", ignoreError).destroy();
    events.onConnectFailed(failure, reason);
  };
  const onConnect = (): void => {
    settle();
    events.onConnected(socket);
  };
  const onError = (error: NodeJS.ErrnoException): void => fail("connect_failure", error.code ?? "");
  const timer = setTimeout(fail, source.connectTimeoutMs, "connect_timeout", "");
  socket.on("connect", onConnect).on("error", onError).on("close", settle);
  return socket;
}

function countUntilClosed(socket: Socket, { counters, load }: RawConnectionSource): void {
  load.activeRequests++;
  counters.openConnections++;
  counters.connectTotal++;
  socket.once("close", () => {
    load.activeRequests--;
    counters.openConnections--;
  });
}

function ignoreError(): void {
  // It has failed already.
}
