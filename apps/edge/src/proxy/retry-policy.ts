// When a request is worth another attempt: Envoy's `retry_on`, compiled to bits, so that the question costs a comparison for every answer
// that is none. Methods play no role: conditions say what may be repeated. Those of Istio's default (connect-failure, refused-stream) hold
// only where the upstream cannot have acted on the request.
import type { RetryPolicy } from "@sluice/core/model";
import type { FailureCode } from "../exchange/failure.ts";
import type { Random } from "../upstream/balancing/balanced.ts";
import { headerOf } from "./flat-headers.ts";

const bits = {
  "5xx": 1 << 0,
  "gateway-error": 1 << 1,
  reset: 1 << 2,
  "reset-before-request": 1 << 3,
  "connect-failure": 1 << 4,
  "envoy-ratelimited": 1 << 5,
  "retriable-4xx": 1 << 6,
  "refused-stream": 1 << 7,
  "retriable-status-codes": 1 << 8,
  cancelled: 1 << 9,
  "deadline-exceeded": 1 << 10,
  internal: 1 << 11,
  "resource-exhausted": 1 << 12,
  unavailable: 1 << 13,
} as const;

const anyReset = bits["5xx"] | bits["gateway-error"] | bits.reset;
const beforeRequest = anyReset | bits["connect-failure"] | bits["reset-before-request"];

/** By failure, the conditions that want it retried. An overflow is never retried: it is the cluster's own limit that was met. */
const failureBits: Partial<Readonly<Record<FailureCode, number>>> = {
  connect_failure: beforeRequest,
  connect_timeout: beforeRequest,
  upstream_tls_failure: beforeRequest,
  upstream_refused_stream: anyReset | bits["refused-stream"],
  upstream_reset: anyReset,
  upstream_protocol_error: anyReset,
  per_try_timeout: anyReset,
};

/** gRPC statuses (CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE) and their conditions. */
const grpcBits: ReadonlyMap<string, number> = new Map([
  ["1", bits.cancelled],
  ["4", bits["deadline-exceeded"]],
  ["8", bits["resource-exhausted"]],
  ["13", bits.internal],
  ["14", bits.unavailable],
]);
const anyGrpc = [...grpcBits.values()].reduce((sum, bit) => sum | bit, 0);

/** Attempts are spread between 0 and this many times the first bound. */
const maxBackoffFactor = 10;

export class RuntimeRetry {
  /** Besides the first. */
  readonly attempts: number;
  readonly perTryTimeoutMs: number;
  readonly avoidsPreviousHosts: boolean;
  readonly triesRemoteLocalities: boolean;
  readonly #conditions: number;
  readonly #backoffBaseMs: number;
  readonly #statuses: ReadonlySet<number>;
  /** Below it no status is retried. */
  readonly #lowestStatus: number;

  constructor(policy: RetryPolicy) {
    this.attempts = policy.attempts;
    this.perTryTimeoutMs = policy.perTryTimeoutMs;
    this.avoidsPreviousHosts = policy.avoidsPreviousHosts;
    this.triesRemoteLocalities = policy.triesRemoteLocalities;
    this.#backoffBaseMs = policy.backoffBaseMs;
    this.#conditions = policy.conditions.reduce((sum, name) => sum | (bitOf(name) ?? 0), 0);
    this.#statuses = new Set(this.#has(bits["retriable-status-codes"]) ? policy.statusCodes : []);
    this.#lowestStatus = Math.min(
      this.#has(bits["5xx"] | bits["gateway-error"]) ? 500 : Infinity,
      this.#has(bits["retriable-4xx"] | bits["envoy-ratelimited"]) ? 400 : Infinity,
      ...this.#statuses,
    );
  }

  wantsFailure(failure: FailureCode): boolean {
    return this.#has(failureBits[failure] ?? 0);
  }

  /** @param bodyLength as in `UpstreamHandler.onUpstreamHead`: a gRPC status stands in the head only where no body follows */
  wantsResponse(status: number, headers: readonly string[], bodyLength: number): boolean {
    const readsGrpc = bodyLength === 0 && this.#has(anyGrpc);
    if (status < this.#lowestStatus && !readsGrpc) return false;
    const isWanted =
      this.#wantsStatus(status) || (readsGrpc && this.#has(grpcBits.get(headerOf(headers, "grpc-status") ?? "") ?? 0));
    if (!isWanted && !this.#has(bits["envoy-ratelimited"])) return false;
    // The upstream is a proxy that has had enough already.
    if (headerOf(headers, "x-envoy-overloaded") !== null) return false;
    return headerOf(headers, "x-envoy-ratelimited") === null ? isWanted : this.#has(bits["envoy-ratelimited"]);
  }

  /**
   * True when nothing that happens once a connection stands leads to a retry: then the request's body need not be kept any longer.
   *
   * @param mayRefuse the upstream speaks HTTP/2
   */
  endsWithConnection(mayRefuse: boolean, isGrpc: boolean): boolean {
    const later = anyReset | bits["retriable-4xx"] | bits["envoy-ratelimited"];
    if (this.#has(later) || this.#statuses.size > 0) return false;
    return !(mayRefuse && this.#has(bits["refused-stream"])) && !(isGrpc && this.#has(anyGrpc));
  }

  /** Milliseconds before the `attempt`th retry: exponential with full jitter. */
  backoffMs(attempt: number, random: Random): number {
    const factor = Math.min(2 ** (attempt - 1), maxBackoffFactor);
    return Math.floor(random() * this.#backoffBaseMs * factor);
  }

  #wantsStatus(status: number): boolean {
    if (status >= 500 && this.#has(bits["5xx"])) return true;
    if (status >= 502 && status <= 504 && this.#has(bits["gateway-error"])) return true;
    return (status === 409 && this.#has(bits["retriable-4xx"])) || this.#statuses.has(status);
  }

  #has(conditions: number): boolean {
    return (this.#conditions & conditions) !== 0;
  }
}

const compiled = new WeakMap<RetryPolicy, RuntimeRetry>();

/** The policy compiled, once for each object: most routes have the same. */
export function retryOf(policy: RetryPolicy): RuntimeRetry {
  let retry = compiled.get(policy);
  if (retry === undefined) compiled.set(policy, (retry = new RuntimeRetry(policy)));
  return retry;
}

/** Conditions that Sluice has no use for (`http3-post-connect-failure`) are none. */
function bitOf(name: string): number | undefined {
  return Object.hasOwn(bits, name) ? bits[name as keyof typeof bits] : undefined;
}
