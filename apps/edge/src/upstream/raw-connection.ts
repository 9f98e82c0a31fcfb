// A connection to an endpoint that carries raw bytes instead of requests: opened in the cluster's time, counted from the attempt
// to the close, never pooled.
import { connect, type Socket } from "node:net";
import type { FailureCode } from "../exchange/failure.ts";
import type { ClusterCounters } from "./cluster-counters.ts";
import { connectOptions } from "./open-socket.ts";
import type { HostMonitor } from "./outlier/host-monitor.ts";
import type { SocketAddress } from "./socket-address.ts";

export interface RawConnectionSource {
  readonly address: SocketAddress;
  readonly connectTimeoutMs: number;
  /** Null: the system's default. */
  readonly keepaliveMs: number | null;
  readonly counters: ClusterCounters;
  /** For its balancer the connection is a request under way until it closes; its monitor hears whether it could be opened. */
  readonly endpoint: { activeRequests: number; readonly monitor: HostMonitor | null };
}

/** Called once, and not at all when the socket is destroyed before. */
export interface RawConnectEvents {
  onConnected(socket: Socket): void;
  /** The socket is closed. `reason` is the system's code, `ECONNREFUSED`, or empty. */
  onConnectFailed(failure: FailureCode, reason: string): void;
}

/** Opens it. The socket keeps its other half open when one ends. */
export function openRawConnection(source: RawConnectionSource, events: RawConnectEvents): Socket {
  const { address, keepaliveMs, counters, endpoint } = source;
  const socket = connect({ ...connectOptions(address, keepaliveMs), allowHalfOpen: true });
  countUntilClosed(socket, source);
  const settle = (): void => {
    clearTimeout(timer);
    socket.off("connect", onConnect).off("error", onError).off("close", settle);
  };
  const fail = (failure: FailureCode, reason: string): void => {
    settle();
    counters.connectFailureTotal++;
    endpoint.monitor?.onLocalError("failure");
    socket.on("error", ignoreError).destroy();
    events.onConnectFailed(failure, reason);
  };
  const onConnect = (): void => {
    settle();
    endpoint.monitor?.onConnected();
    events.onConnected(socket);
  };
  const onError = (error: NodeJS.ErrnoException): void => fail("connect_failure", error.code ?? "");
  const timer = setTimeout(fail, source.connectTimeoutMs, "connect_timeout", "");
  socket.on("connect", onConnect).on("error", onError).on("close", settle);
  return socket;
}

function countUntilClosed(socket: Socket, { counters, endpoint }: RawConnectionSource): void {
  endpoint.activeRequests++;
  counters.openConnections++;
  counters.connectTotal++;
  socket.once("close", () => {
    endpoint.activeRequests--;
    counters.openConnections--;
  });
}

function ignoreError(): void {
  // It has failed already.
}
