// A connection to an endpoint that carries raw bytes instead of requests: opened in the cluster's time, over TLS where the cluster says
// so, counted from the attempt to the close, never pooled.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { FailureCode } from "../exchange/failure.ts";
import type { ClusterCounters } from "./cluster-counters.ts";
import { beginTls, type ConnectTarget, openPlain, type SecureTarget } from "./open-socket.ts";
import type { HostMonitor } from "./outlier/host-monitor.ts";

export interface RawConnectionSource {
  readonly target: ConnectTarget;
  readonly counters: ClusterCounters;
  /** For its balancer the connection is a request under way until it closes; its monitor hears whether it could be opened. */
  readonly endpoint: { activeRequests: number; readonly monitor: HostMonitor | null };
}

/** What is opened. Both sockets keep their other half open when one ends. */
export interface RawConnection {
  /** Takes and gives the raw bytes. */
  readonly socket: Socket;
  /** The TCP socket below; `socket` itself without TLS. */
  readonly carrier: Socket;
}

/** Called once, and not at all when the socket is destroyed before. */
export interface RawConnectEvents {
  /** The connection stands; over TLS the upstream has also proved who it is. Nothing has been written to it but a PROXY header. */
  onConnected(): void;
  /** The socket is closed. `reason` is the system's code, `ECONNREFUSED`, or empty; over TLS what was wrong with the certificate. */
  onConnectFailed(failure: FailureCode, reason: string): void;
}

export function openRawConnection(source: RawConnectionSource, events: RawConnectEvents): RawConnection {
  const { target, counters, endpoint } = source;
  const carrier = openPlain(target, null);
  const socket = target.tls === null ? carrier : beginTls(carrier, target, target.tls);
  carrier.allowHalfOpen = true;
  socket.allowHalfOpen = true;
  countUntilClosed(socket, source);
  let isTcpUp = false;
  const settle = (): void => {
    clearTimeout(timer);
    carrier.off("connect", onConnect);
    socket.off("secureConnect", onSecure).off("error", onError).off("close", settle);
  };
  const fail = (failure: FailureCode, reason: string): void => {
    settle();
    counters.connectFailureTotal++;
    endpoint.monitor?.onLocalError("failure");
    socket.on("error", ignoreError).destroy();
    events.onConnectFailed(failure, reason);
  };
  const onConnect = (): void => {
    isTcpUp = true;
    if (target.tls !== null) return;
    settle();
    endpoint.monitor?.onConnected();
    events.onConnected();
  };
  const onSecure = (): void => {
    const problem = verify(socket, target.tls);
    if (problem !== null) return fail("upstream_tls_failure", problem);
    settle();
    endpoint.monitor?.onConnected();
    events.onConnected();
  };
  const onError = (error: NodeJS.ErrnoException): void =>
    fail(isTcpUp ? "upstream_tls_failure" : "connect_failure", error.code ?? "");
  const timer = setTimeout(fail, target.connectTimeoutMs, "connect_timeout", "");
  carrier.on("connect", onConnect);
  socket.on("secureConnect", onSecure).on("error", onError).on("close", settle);
  return { socket, carrier };
}

function verify(socket: Socket, tls: SecureTarget | null): string | null {
  return tls === null ? null : tls.origination.verify(socket as TLSSocket, tls.serverName);
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
