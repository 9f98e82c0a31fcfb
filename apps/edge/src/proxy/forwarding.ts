// One exchange on its way upstream and its attempts. The first attempt of a plain request costs this object and
// nothing else; what retries need (a copy of the body, timers, endpoints tried) comes into being when it is needed.
import { performance } from "node:perf_hooks";
import type { Exchange } from "../exchange/exchange.ts";
import type { FailureCode } from "../exchange/failure.ts";
import type { ForwardedExchange } from "../exchange/forwarded-exchange.ts";
import { isGrpcType } from "../exchange/grpc.ts";
import type { ForwardingMetrics } from "../observe/forwarding-metrics.ts";
import type { Random } from "../upstream/balancing/balanced.ts";
import type { ClusterRuntime } from "../upstream/cluster.ts";
import type { ClusterManager } from "../upstream/cluster-manager.ts";
import type { EndpointPool } from "../upstream/pool.ts";
import { type RequestBody, type RequestOrigin, sendRequest, type UpstreamRequest } from "../upstream/send-request.ts";
import { HeldBody, type HeldBytes } from "./held-body.ts";
import type { MirrorCopy, Mirroring } from "./mirror.ts";
import type { RuntimeRetry } from "./retry-policy.ts";
import { RetryState } from "./retry-state.ts";
import type { RuntimeDestination, RuntimeForward } from "./runtime-route.ts";

/** What all exchanges of a worker are forwarded with. */
export interface ForwardingEnvironment {
  readonly clusters: ClusterManager;
  readonly random: Random;
  readonly metrics: ForwardingMetrics;
  readonly mirroring: Mirroring;
  /** Of a request's body that is kept for another attempt; a longer one gets none. */
  readonly retryBufferBytes: number;
  /** Of all bodies kept so. */
  readonly heldBytes: HeldBytes;
  /** Ends an exchange with a failure that came by time, not by an event of its upstream. */
  fail(exchange: Exchange, failure: FailureCode): void;
}

export interface ForwardingSource {
  readonly route: RuntimeForward;
  readonly destination: RuntimeDestination;
  readonly cluster: ClusterRuntime;
  readonly environment: ForwardingEnvironment;
  readonly head: string;
}

export class Forwarding implements UpstreamRequest, ForwardedExchange {
  readonly method: string;
  head: string;
  readonly body: RequestBody;
  readonly bodyLength: number;
  readonly origin: RequestOrigin;
  private readonly exchange: Exchange;
  private readonly route: RuntimeForward;
  private readonly destination: RuntimeDestination;
  private readonly cluster: ClusterRuntime;
  private readonly environment: ForwardingEnvironment;
  private endpoint: EndpointPool | null;
  /** Null until an attempt has failed. */
  private retries: RetryState | null;
  /** Nothing of the body has gone that is not in `held` as well: there may be another attempt. */
  private keepsBody: boolean;
  private held: HeldBody | null;
  private mirrors: MirrorCopy[] | null;
  private tryTimer: NodeJS.Timeout | null;
  private backoffTimer: NodeJS.Timeout | null;
  private routeTimer: NodeJS.Timeout | null;

  constructor(exchange: Exchange, { route, destination, cluster, environment, head }: ForwardingSource) {
    this.method = exchange.method;
    this.head = head;
    this.body = bodyOf(exchange);
    this.bodyLength = exchange.bodyLength;
    this.origin = destination.shaping === null ? exchange : destination.shaping.originOf(exchange);
    this.exchange = exchange;
    this.route = route;
    this.destination = destination;
    this.cluster = cluster;
    this.environment = environment;
    this.endpoint = null;
    this.retries = null;
    this.keepsBody = route.retry !== null && exchange.upgrade === null;
    this.held = null;
    this.mirrors = null;
    this.tryTimer = null;
    this.backoffTimer = null;
    this.routeTimer = null;
  }

  begin(endpoint: EndpointPool): void {
    const { exchange, route } = this;
    this.endpoint = endpoint;
    exchange.upstreamStartedAt = performance.now();
    exchange.upstream = sendRequest(endpoint, this, exchange);
    if (route.mirrors !== null && exchange.upgrade === null) this.beginMirrors();
    if (exchange.isRequestComplete) this.startClocks();
  }

  write(chunk: Uint8Array): boolean {
    if (this.mirrors !== null) for (const mirror of this.mirrors) mirror.write(chunk);
    if (this.keepsBody) this.keep(chunk);
    // Between two attempts: the piece is kept and goes with the next.
    if (this.backoffTimer !== null) return false;
    return this.exchange.upstream?.write(chunk) ?? true;
  }

  end(trailers: readonly string[]): void {
    if (this.mirrors !== null) for (const mirror of this.mirrors) mirror.end(trailers);
    if (this.keepsBody && trailers.length > 0) this.held ??= new HeldBody();
    this.held?.complete(trailers);
    if (this.backoffTimer === null) this.exchange.upstream?.end(trailers);
    this.startClocks();
  }

  retriesResponse(status: number, headers: readonly string[], bodyLength: number): boolean {
    const { retry } = this.route;
    if (retry !== null && retry.wantsResponse(status, headers, bodyLength) && this.triesAgain(retry)) {
      this.exchange.upstream?.abort();
      return true;
    }
    // The answer goes to the client: from here on there is no other.
    if (this.tryTimer !== null) clearTimeout(this.tryTimer);
    this.dropBody();
    this.retries?.release();
    return false;
  }

  retriesFailure(failure: FailureCode): boolean {
    const { retry } = this.route;
    if (retry === null || this.exchange.isResponseStarted) return false;
    return retry.wantsFailure(failure) && this.triesAgain(retry);
  }

  decorate(headers: string[]): void {
    const { responseOperations } = this.destination;
    if (responseOperations === null) return;
    for (const operations of responseOperations) operations.applyToHeaders(headers, this.exchange, this.head);
  }

  close(): void {
    if (this.tryTimer !== null) clearTimeout(this.tryTimer);
    if (this.backoffTimer !== null) clearTimeout(this.backoffTimer);
    if (this.routeTimer !== null) clearTimeout(this.routeTimer);
    this.retries?.release();
    this.dropBody();
    if (this.mirrors !== null && !this.exchange.isRequestComplete) for (const mirror of this.mirrors) mirror.abandon();
  }

  /** @internal An attempt has taken longer than one may. */
  expireTry(): void {
    const { exchange, environment } = this;
    exchange.upstream?.abort("timeout");
    if (!this.retriesFailure("per_try_timeout")) environment.fail(exchange, "per_try_timeout");
  }

  /** @internal The route's time for all attempts is up. */
  expire(): void {
    const { exchange, environment } = this;
    exchange.upstream?.abort("timeout");
    environment.fail(exchange, "upstream_timeout");
  }

  /** @internal The back-off is over. */
  sendAgain(): void {
    const { cluster, environment, exchange, retries } = this;
    this.backoffTimer = null;
    const endpoint = cluster.choose(exchange, retries?.tried, retries?.left);
    if (endpoint === null) return environment.fail(exchange, "no_healthy_upstream");
    this.endpoint = endpoint;
    this.head = retries?.nextHead(this.head) ?? this.head;
    exchange.upstream = sendRequest(endpoint, this, exchange);
    this.replay();
  }

  private beginMirrors(): void {
    const { body, bodyLength, environment, head, method, origin, route } = this;
    // An object of its own: the head of another attempt is another one.
    const request = { method, head, body, bodyLength, origin };
    this.mirrors = environment.mirroring.begin(route.mirrors ?? [], request);
  }

  /** The limits on time begin when the request is complete, as in Envoy: an upload takes as long as it takes. */
  private startClocks(): void {
    const { exchange, route } = this;
    if (exchange.upgrade !== null) return;
    if (route.timeoutMs > 0 && this.routeTimer === null)
      this.routeTimer = setTimeout(expireRoute, route.timeoutMs, this);
    if (route.retry !== null && this.backoffTimer === null) this.startTryTimer(route.retry);
  }

  /** Also called twice for one attempt: behind a delay the request is complete before the attempt begins, and its end comes after. */
  private startTryTimer({ perTryTimeoutMs }: RuntimeRetry): void {
    if (perTryTimeoutMs === 0 || this.exchange.isResponseStarted) return;
    if (this.tryTimer !== null) clearTimeout(this.tryTimer);
    this.tryTimer = setTimeout(expireTry, perTryTimeoutMs, this);
  }

  /** Decides about another attempt and prepares it. */
  private triesAgain(retry: RuntimeRetry): boolean {
    const { cluster, environment, exchange } = this;
    if (this.tryTimer !== null) clearTimeout(this.tryTimer);
    this.retries ??= new RetryState(retry, cluster, environment.metrics);
    const { retries } = this;
    // An upgrade has no body before its answer.
    if (!retries.allows(exchange, this.keepsBody || exchange.upgrade !== null)) return false;
    if (this.endpoint !== null) retries.avoid(this.endpoint);
    if (!exchange.isRequestComplete && exchange.upgrade === null) exchange.pauseBody();
    const backoffMs = retry.backoffMs(retries.attempts, environment.random);
    this.backoffTimer = setTimeout(sendAgain, backoffMs, this);
    return true;
  }

  /** Gives the new attempt what there is of the request's body. */
  private replay(): void {
    const { exchange, held, route } = this;
    const { upstream } = exchange;
    let hasRoom = true;
    for (const chunk of held?.chunks ?? []) hasRoom = upstream?.write(chunk) ?? true;
    if (this.isOverfull()) this.dropBody();
    if (exchange.isRequestComplete) {
      if (this.body !== "none") upstream?.end(held?.trailers ?? []);
      if (route.retry !== null) this.startTryTimer(route.retry);
    } else if (hasRoom && exchange.upgrade === null) {
      exchange.resumeBody();
    }
  }

  /** Keeps a piece of the body for another attempt, as long as there can be one. */
  private keep(chunk: Uint8Array): void {
    // Between two attempts nobody is there to hand it to. The client is stopped, so only what was under way still comes; none of it may
    // be lost.
    const isOnlyCopy = this.backoffTimer !== null;
    if (!isOnlyCopy && this.isPastRetries()) return this.dropBody();
    (this.held ??= new HeldBody()).add(chunk);
    this.environment.heldBytes.total += chunk.length;
    if (!isOnlyCopy && this.isOverfull()) this.dropBody();
  }

  private isOverfull(): boolean {
    const { heldBytes, retryBufferBytes } = this.environment;
    return this.held !== null && (this.held.bytes > retryBufferBytes || heldBytes.total > heldBytes.maxTotal);
  }

  private dropBody(): void {
    this.keepsBody = false;
    if (this.held === null) return;
    this.environment.heldBytes.total -= this.held.bytes;
    this.held = null;
  }

  /**
   * With Istio's default policy nothing that happens on a connection that stands is retried, gRPC and HTTP/2 apart: uploads over warm
   * connections are not copied at all.
   */
  private isPastRetries(): boolean {
    const { cluster, exchange, route } = this;
    const isConnected = exchange.upstream !== null && exchange.upstream.localAddress !== "";
    if (!isConnected || cluster.source.tls !== null) return false;
    const mayRefuse = cluster.source.protocol !== "http1" && cluster.source.protocol !== "tcp";
    const isGrpc = exchange.protocol === "HTTP/2" && isGrpcType(exchange.header("content-type"));
    return route.retry === null || route.retry.endsWithConnection(mayRefuse, isGrpc);
  }
}

function expireRoute(forwarding: Forwarding): void {
  forwarding.expire();
}

function expireTry(forwarding: Forwarding): void {
  forwarding.expireTry();
}

function sendAgain(forwarding: Forwarding): void {
  forwarding.sendAgain();
}

function bodyOf({ bodyLength, upgrade }: Exchange): RequestBody {
  if (upgrade !== null) return "upgrade";
  return bodyLength === 0 ? "none" : bodyLength < 0 ? "chunked" : "length";
}
