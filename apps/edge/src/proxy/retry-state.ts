// The attempts of one exchange: how many there have been, which endpoints they went to, and the cluster's permission for the next.
// Made when the first attempt has failed; most exchanges never have one.
import type { Exchange } from "../exchange/exchange.ts";
import { exchangeFlags } from "../exchange/flags.ts";
import type { ForwardingMetrics } from "../observe/forwarding-metrics.ts";
import type { ClusterRuntime } from "../upstream/cluster.ts";
import type { EndpointPool } from "../upstream/pool.ts";
import type { RuntimeRetry } from "./retry-policy.ts";

export class RetryState {
  /** Endpoints to avoid; empty where the policy does not care. */
  readonly tried: EndpointPool[] = [];
  /** Endpoints whose localities to leave, after some; empty where the policy does not. */
  readonly left: EndpointPool[] = [];
  /** Begun so far. */
  attempts = 1;
  readonly #policy: RuntimeRetry;
  readonly #cluster: ClusterRuntime;
  readonly #metrics: ForwardingMetrics;
  /** `ClusterRuntime.endRetry` is owed. */
  #holdsRetry = false;

  constructor(policy: RuntimeRetry, cluster: ClusterRuntime, metrics: ForwardingMetrics) {
    this.#policy = policy;
    this.#cluster = cluster;
    this.#metrics = metrics;
  }

  /**
   * True when another attempt may begin; it then holds one of the cluster's retries until the next call or `release`. Otherwise the
   * exchange's flags and the metrics say why not.
   *
   * @param hasBody what was sent of the request is still there to be sent again
   */
  allows(exchange: Exchange, hasBody: boolean): boolean {
    this.release();
    if (this.attempts > this.#policy.attempts) {
      exchange.flags |= exchangeFlags.retryLimitExceeded;
      this.#metrics.onRetryGivenUp(this.#cluster.name, "limit");
      return false;
    }
    if (!hasBody) {
      this.#metrics.onRetryGivenUp(this.#cluster.name, "body");
      return false;
    }
    this.#holdsRetry = this.#cluster.beginRetry();
    if (!this.#holdsRetry) exchange.flags |= exchangeFlags.upstreamOverflow;
    return this.#holdsRetry;
  }

  avoid(endpoint: EndpointPool): void {
    if (this.#policy.avoidsPreviousHosts) this.tried.push(endpoint);
    if (this.#policy.triesRemoteLocalities) this.left.push(endpoint);
  }

  /** The head of the attempt that begins now. */
  nextHead(head: string): string {
    this.attempts++;
    return head.replace(attemptField, `\r\nx-envoy-attempt-count: ${this.attempts}\r\n`);
  }

  /** The attempt under way, if it was a retry, is over. */
  release(): void {
    if (this.#holdsRetry) this.#cluster.endRetry();
    this.#holdsRetry = false;
  }
}

/** Ours: a client's own is not passed on, and no value holds a line end. */
const attemptField = /\r\nx-envoy-attempt-count: \d+\r\n/;
