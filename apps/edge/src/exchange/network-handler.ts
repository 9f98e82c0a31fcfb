// What is done with connections whose bytes are forwarded as they come: TCP, TLS that passes through, and what is inside TLS that ends here.
import type { Socket } from "node:net";
import type { Downstream } from "./downstream.ts";
import type { FailureCode } from "./failure.ts";

/** An accepted connection that is not HTTP to Sluice. */
export interface NetworkDownstream extends Pick<
  Downstream,
  "listener" | "filterChain" | "remoteAddress" | "remotePort" | "localAddress" | "localPort" | "sni"
> {
  /** As `Downstream.trust` where TLS was ended; null where nothing was decrypted, so that the two are never taken for each other. */
  readonly trust: string | null;
}

/** The listeners call it. One object serves every connection. */
export interface NetworkHandler {
  /**
   * A connection has taken a chain that forwards. The handler owns the socket from now on; the listener may still destroy it.
   *
   * @param socket the bytes to forward: paused, with what was read of it put back, and `allowHalfOpen` set
   * @param carrier the TCP socket below; `socket` itself where no TLS was ended
   */
  onConnection(socket: Socket, downstream: NetworkDownstream, carrier: Socket): void;
}

/** One forwarded connection as logs and metrics see it. */
export interface NetworkConnection {
  readonly downstream: NetworkDownstream;
  /** Milliseconds since the epoch, and monotonic ones, when it was handed over. */
  readonly startedAtMs: number;
  readonly startedAt: number;
  /** Empty when none was chosen. */
  readonly cluster: string;
  /** `127.0.0.1:8000`; empty when no endpoint was chosen. */
  readonly upstreamAddress: string;
  /** `127.0.0.1:51234`; empty until connected. */
  readonly upstreamLocalAddress: string;
  /** From and to the client. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Its flag is logged; null for a connection that both sides ended. */
  readonly failure: FailureCode | null;
  /** Why Sluice ended it, in Envoy's words: `tcp_session_idle_timeout`. */
  readonly terminationDetails: string | null;
  /** The system's word for a connect that failed: `ECONNREFUSED`. */
  readonly upstreamFailureReason: string | null;
}
