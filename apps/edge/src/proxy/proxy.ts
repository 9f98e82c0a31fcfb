// The proxy: what happens to an exchange from its head to its last byte. Engines below `listen/` call it with what clients do,
// upstream streams with what upstreams do; it is the only place that joins the two.
//
//   onRequest ─► selectRoute ─► fault, CORS ─► forward ─► upstream ─► onUpstreamHead ─► data ─► finish
//        (trust, form, host,         │          │   ▲─ retry ─┴──────────────┤
//         TLS, route)  └─ answers ───┴─ answers ┴─ redirect, own answer      └─ failure ────► finish
//
// A route without filters, operations, mirrors or retries under way meets none of them: each is a null that is looked at.
import { performance } from "node:perf_hooks";
import { type Exchange, type ExchangeHandler, noTrailers } from "../exchange/exchange.ts";
import type { FailureCode } from "../exchange/failure.ts";
import type { AccessLog } from "../observe/access-log.ts";
import { ForwardingMetrics } from "../observe/forwarding-metrics.ts";
import type { Random } from "../upstream/balancing/balanced.ts";
import type { ClusterManager } from "../upstream/cluster-manager.ts";
import { ActiveExchanges } from "./active-exchanges.ts";
import { coarseSeconds } from "./clock.ts";
import { sendAnswer } from "./direct-response.ts";
import { forward } from "./forward.ts";
import type { ForwardingEnvironment } from "./forwarding.ts";
import { sendFailure } from "./local-response.ts";
import { Mirroring } from "./mirror.ts";
import { completeResponseHeaders } from "./response-head.ts";
import { allowedTimeMs } from "./request-deadline.ts";
import { type FilterOwner, runFilters } from "./route-filters.ts";
import type { RuntimeRoute } from "./runtime-route.ts";
import type { RuntimeTable } from "./runtime-table.ts";
import { type HttpsAuthority, selectRoute } from "./select-route.ts";

export interface ProxyOptions {
  readonly table: RuntimeTable;
  readonly clusters: ClusterManager;
  readonly accessLog: AccessLog;
  readonly httpsAuthority: HttpsAuthority;
  /** No byte in either direction for this long ends an exchange; 0: never. */
  readonly streamIdleTimeoutSeconds: number;
  /** From the head to the end of the response; 0: never. */
  readonly requestTimeoutMs: number;
  /** 0: without limit. */
  readonly maxBodyBytes: number;
  /** See `ForwardingEnvironment`. */
  readonly retryBufferBytes: number;
  /** The same, of all requests together. */
  readonly retryBufferTotalBytes: number;
  /** Decides weights, faults, mirrors and back-off. Default: `Math.random`. */
  readonly random?: Random;
}

export class Proxy implements ExchangeHandler {
  /** The live table. A request keeps what it took from the table it began with. */
  table: RuntimeTable;
  /** Responses tell HTTP/1.1 clients to connect elsewhere. */
  isDraining = false;
  /** Counted beside the requests themselves. */
  readonly metrics = new ForwardingMetrics();
  readonly #environment: ForwardingEnvironment;
  readonly #filterOwner: FilterOwner;
  readonly #accessLog: AccessLog;
  readonly #httpsAuthority: HttpsAuthority;
  readonly #streamIdleTimeoutSeconds: number;
  readonly #requestTimeoutMs: number;
  readonly #maxBodyBytes: number;
  readonly #active = new ActiveExchanges();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: ProxyOptions) {
    this.table = options.table;
    const { clusters, random = Math.random, retryBufferBytes } = options;
    const { metrics } = this;
    const onResult = metrics.onMirrored.bind(metrics);
    this.#environment = {
      clusters,
      random,
      metrics,
      mirroring: new Mirroring({ clusters, random, onResult }),
      retryBufferBytes,
      heldBytes: { total: 0, maxTotal: options.retryBufferTotalBytes },
      fail: (exchange, failure) => {
        if (!exchange.isDone) this.#fail(exchange, failure);
      },
    };
    this.#filterOwner = {
      metrics,
      random,
      act: (exchange, route) => this.#act(exchange, route),
      finish: (exchange) => this.#finish(exchange),
      limitTime: (exchange) => this.#limitTime(exchange),
    };
    this.#accessLog = options.accessLog;
    this.#httpsAuthority = options.httpsAuthority;
    this.#streamIdleTimeoutSeconds = options.streamIdleTimeoutSeconds;
    this.#requestTimeoutMs = options.requestTimeoutMs;
    this.#maxBodyBytes = options.maxBodyBytes === 0 ? Infinity : options.maxBodyBytes;
    this.#sweep = setInterval(() => this.#endIdleExchanges(), 1000);
    this.#sweep.unref();
  }

  /** Exchanges under way. */
  get activeCount(): number {
    return this.#active.count;
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  onRequest(exchange: Exchange): void {
    this.#active.add(exchange);
    exchange.lastActivity = coarseSeconds();
    if (this.isDraining) exchange.closesConnection = true;
    const route = selectRoute(exchange, this.table, this.#httpsAuthority);
    if (route === null) this.#finish(exchange);
    else if (route.filters === null) this.#act(exchange, route);
    else runFilters(exchange, route, this.#filterOwner);
  }

  #act(exchange: Exchange, { forward: target, answer }: RuntimeRoute): void {
    if (target === null) {
      if (answer !== null) sendAnswer(exchange, answer);
      return this.#finish(exchange);
    }
    if (exchange.bodyLength > this.#maxBodyBytes) return this.#fail(exchange, "body_too_large");
    const failure = forward(exchange, target, this.#environment);
    if (failure !== null) return this.#fail(exchange, failure);
    if (exchange.deadline === null) this.#limitTime(exchange);
  }

  #limitTime(exchange: Exchange): void {
    const allowedMs = allowedTimeMs(exchange, this.#requestTimeoutMs);
    if (allowedMs >= 0) exchange.deadline = setTimeout(() => this.#expire(exchange), allowedMs);
  }

  onRequestData(exchange: Exchange, chunk: Uint8Array): void {
    if (exchange.isDone) return;
    exchange.bytesReceived += chunk.length;
    exchange.lastActivity = coarseSeconds();
    if (exchange.bytesReceived > this.#maxBodyBytes && exchange.upgrade === null) {
      exchange.upstream?.abort();
      return this.#fail(exchange, "body_too_large");
    }
    if (exchange.forwarding?.write(chunk) === false) exchange.pauseBody();
  }

  onRequestEnd(exchange: Exchange, trailers: readonly string[]): void {
    if (exchange.isRequestComplete) return;
    exchange.isRequestComplete = true;
    if (!exchange.isDone) exchange.forwarding?.end(trailers);
  }

  onDownstreamDrain(exchange: Exchange): void {
    if (!exchange.isDone) exchange.upstream?.resume();
  }

  onDownstreamAborted(exchange: Exchange): void {
    if (exchange.isDone) return;
    exchange.failure = "downstream_gone";
    exchange.upstream?.abort();
    this.#finish(exchange);
  }

  onUpstreamInformational(exchange: Exchange, status: number, headers: readonly string[]): void {
    exchange.lastActivity = coarseSeconds();
    exchange.sendInformational(status, headers);
  }

  onUpstreamHead(exchange: Exchange, status: number, headers: string[], bodyLength: number): void {
    exchange.lastActivity = coarseSeconds();
    exchange.upstreamRespondedAt = performance.now();
    if (isFalseAcceptance(exchange, status)) {
      exchange.upstream?.abort();
      return this.#fail(exchange, "upstream_protocol_error");
    }
    if (exchange.forwarding?.retriesResponse(status, headers, bodyLength) === true) return;
    exchange.status = status;
    exchange.isResponseStarted = true;
    if (this.isDraining) exchange.closesConnection = true;
    completeResponseHeaders(exchange, headers);
    exchange.sendHead(status, headers, bodyLength);
  }

  onUpstreamData(exchange: Exchange, chunk: Uint8Array): void {
    exchange.lastActivity = coarseSeconds();
    exchange.bytesSent += chunk.length;
    if (!exchange.sendData(chunk)) exchange.upstream?.pause();
  }

  onUpstreamFlush(exchange: Exchange): void {
    if (!exchange.isDone) exchange.flush();
  }

  /** Where the engine cannot end one half of a tunnel alone, the end of one is the end of both. */
  onUpstreamHalfEnd(exchange: Exchange): void {
    if (exchange.isDone || exchange.sendHalfEnd()) return;
    exchange.upstream?.abort();
    this.onUpstreamEnd(exchange, noTrailers);
  }

  onUpstreamEnd(exchange: Exchange, trailers: readonly string[]): void {
    exchange.sendEnd(trailers);
    this.#finish(exchange);
  }

  onUpstreamError(exchange: Exchange, failure: FailureCode): void {
    if (exchange.isDone || exchange.forwarding?.retriesFailure(failure) === true) return;
    this.#fail(exchange, failure);
  }

  onUpstreamDrain(exchange: Exchange): void {
    if (!exchange.isDone) exchange.resumeBody();
  }

  #fail(exchange: Exchange, code: FailureCode): void {
    sendFailure(exchange, code);
    this.#finish(exchange);
  }

  /** Exactly once an exchange: counted, logged, forgotten. */
  #finish(exchange: Exchange): void {
    exchange.isDone = true;
    if (exchange.deadline !== null) clearTimeout(exchange.deadline);
    exchange.forwarding?.close();
    this.#active.remove(exchange);
    // What is left of the request is read and thrown away: a body that nobody reads would stall the connection.
    if (!exchange.isRequestComplete && exchange.failure !== "downstream_gone") exchange.resumeBody();
    exchange.selection?.recorder.record(exchange);
    if (this.#accessLog.isOn) this.#accessLog.write(exchange);
  }

  #expire(exchange: Exchange): void {
    if (exchange.isDone) return;
    exchange.upstream?.abort("timeout");
    this.#fail(exchange, "upstream_timeout");
  }

  #endIdleExchanges(): void {
    if (this.#streamIdleTimeoutSeconds === 0) return;
    const oldest = coarseSeconds() - this.#streamIdleTimeoutSeconds;
    for (const exchange of this.#active.idleSince(oldest)) {
      if (exchange.isDone) continue;
      exchange.upstream?.abort();
      this.#fail(exchange, "stream_idle_timeout");
    }
  }
}

/** Over HTTP/2 any 2xx would tell the client that its tunnel is open, also one that the upstream answered as to a plain GET. */
function isFalseAcceptance({ upgrade, protocol }: Exchange, status: number): boolean {
  return upgrade !== null && protocol === "HTTP/2" && status >= 200 && status < 300;
}
