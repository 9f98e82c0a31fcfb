// What a route does to its requests on their way, one line a matter.
import {
  type CorsPolicy,
  defaultRetryPolicy,
  type FaultPolicy,
  type ForwardAction,
  type HeaderOperations,
  type HeaderPolicy,
  type RetryPolicy,
  type RoutePolicy,
  type ValueMatch,
} from "../model/index.ts";
import { formatMilliseconds } from "./milliseconds.ts";
import { quote } from "./quote.ts";

/** `retries`: `2 more attempts on connect-failure, ...`. */
export interface PolicyLine {
  readonly name: string;
  readonly text: string;
}

/** What happens whatever the action is. */
export function describePolicy(policy: RoutePolicy | null): readonly PolicyLine[] {
  if (policy === null) return [];
  const { fault, cors, headers } = policy;
  return [
    ...(fault === null ? [] : describeFault(fault)),
    ...(cors === null ? [] : [{ name: "cors", text: describeCors(cors) }]),
    ...describeHeaders(headers, ""),
  ];
}

/** What happens on the way to an upstream. */
export function describeForwarding(action: ForwardAction): readonly PolicyLine[] {
  const { clusters, mirrors, retry, timeoutMs } = action;
  const timeout = timeoutMs === 0 ? "none: an upstream may take as long as it likes" : formatMilliseconds(timeoutMs);
  return [
    { name: "timeout", text: timeout },
    { name: "retries", text: retry === null || retry.attempts === 0 ? "none" : describeRetries(retry) },
    ...mirrors.map(({ cluster, percentage }) => ({
      name: "mirror",
      text: `${percentage} % of requests to ${cluster}`,
    })),
    ...clusters.flatMap(({ cluster, headers }) => describeHeaders(headers, ` to ${cluster}`)),
  ];
}

function describeRetries(retry: RetryPolicy): string {
  const { attempts, backoffBaseMs, perTryTimeoutMs } = retry;
  const causes = retry.conditions.map((condition) =>
    condition === "retriable-status-codes" ? [condition, ...retry.statusCodes].join(" ") : condition,
  );
  const parts = [
    `${attempts} more ${attempts === 1 ? "attempt" : "attempts"} on ${causes.join(", ")}`,
    `${backoffBaseMs} ms to ${10 * backoffBaseMs} ms apart`,
  ];
  if (perTryTimeoutMs > 0) parts.push(`each within ${formatMilliseconds(perTryTimeoutMs)}`);
  if (retry.avoidsPreviousHosts) parts.push("at another endpoint where there is one");
  if (retry.triesRemoteLocalities) parts.push("in other localities too");
  if (retry === defaultRetryPolicy) parts.push("Istio's default");
  return parts.join("; ");
}

function describeFault({ abort, delay }: FaultPolicy): readonly PolicyLine[] {
  const lines: PolicyLine[] = [];
  if (delay !== null) {
    lines.push({
      name: "fault",
      text: `${delay.percentage} % of requests wait ${formatMilliseconds(delay.durationMs)}`,
    });
  }
  if (abort !== null) {
    const answer = abort.grpcStatus === null ? `status ${abort.httpStatus}` : `gRPC status ${abort.grpcStatus}`;
    lines.push({ name: "fault", text: `${abort.percentage} % of requests are answered ${answer}` });
  }
  return lines;
}

function describeCors(cors: CorsPolicy): string {
  const parts = [`origins ${cors.allowOrigins.map(describeOrigin).join(" or ")}`];
  if (cors.allowMethods !== "") parts.push(`methods ${cors.allowMethods}`);
  if (cors.allowHeaders !== "") parts.push(`headers ${cors.allowHeaders}`);
  if (cors.allowCredentials) parts.push("with credentials");
  if (!cors.forwardsUnmatchedPreflights) parts.push("preflights of other origins are not passed on");
  return parts.join("; ");
}

function describeOrigin({ kind, value }: ValueMatch): string {
  return kind === "exact" ? value : kind === "prefix" ? `${value}…` : kind === "regex" ? `/${value}/` : "any";
}

function describeHeaders(policy: HeaderPolicy | null, where: string): readonly PolicyLine[] {
  if (policy === null) return [];
  const lines: PolicyLine[] = [];
  const request = describeOperations(policy.request);
  const response = describeOperations(policy.response);
  if (request !== "") lines.push({ name: "request headers", text: request + where });
  if (response !== "") lines.push({ name: "response headers", text: response + where.replace(" to ", " from ") });
  return lines;
}

function describeOperations({ add, remove, set }: HeaderOperations): string {
  return [
    ...remove.map((name) => `remove ${name}`),
    ...set.map(({ name, value }) => `set ${name} to ${quote(value)}`),
    ...add.map(({ name, value }) => `add ${name} ${quote(value)}`),
  ].join(", ");
}
