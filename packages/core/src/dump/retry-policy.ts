// Retry policies in Envoy's shape.
import { defaultRetryPolicy, type RetryPolicy } from "../model/index.ts";
import { formatDuration, type JsonObject, typeUrl } from "./json.ts";

/** How often Envoy draws again when it draws an endpoint that it has tried: Istio's number, a 64-bit one, which JSON writes as text. */
const hostSelectionAttempts = "5";

export function dumpRetryPolicy(policy: RetryPolicy): JsonObject {
  const { attempts, conditions, statusCodes, perTryTimeoutMs, backoffBaseMs } = policy;
  const hasBackoff = backoffBaseMs !== defaultRetryPolicy.backoffBaseMs;
  return {
    retryOn: conditions.join(","),
    numRetries: attempts,
    ...(perTryTimeoutMs === 0 ? {} : { perTryTimeout: formatDuration(perTryTimeoutMs, "modern") }),
    ...(policy.triesRemoteLocalities ? { retryPriority } : {}),
    ...(policy.avoidsPreviousHosts ? { retryHostPredicate: [previousHosts] } : {}),
    hostSelectionRetryMaxAttempts: hostSelectionAttempts,
    ...(statusCodes.length === 0 ? {} : { retriableStatusCodes: statusCodes }),
    ...(hasBackoff ? { retryBackOff: { baseInterval: formatDuration(backoffBaseMs, "modern") } } : {}),
  };
}

const previousHosts: JsonObject = {
  name: "envoy.retry_host_predicates.previous_hosts",
  typedConfig: typeUrl("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
};

const retryPriority: JsonObject = {
  name: "envoy.retry_priorities.previous_priorities",
  typedConfig: {
    ...typeUrl("envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"),
    updateFrequency: 2,
  },
};
