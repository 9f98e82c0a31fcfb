// When requests are sent again (istio-semantics 2.6).
import { defaultRetryPolicy, type HttpRetry, parseRetryOn, type RetryPolicy } from "../model/index.ts";
import { timerMs } from "./duration.ts";

/** A rule that says nothing retries by Istio's default; `attempts: 0`, also when it is left out, switches retries off. */
export function buildRetries(retries: HttpRetry | undefined): RetryPolicy | null {
  if (retries === undefined) return defaultRetryPolicy;
  const { attempts = 0, retryOn = "", perTryTimeout, backoff } = retries;
  if (attempts <= 0) return null;
  return {
    ...(retryOn === "" ? defaultRetryPolicy : withStatusCondition(parseRetryOn(retryOn))),
    attempts,
    perTryTimeoutMs: timerMs(perTryTimeout) ?? 0,
    backoffBaseMs: timerMs(backoff) ?? defaultRetryPolicy.backoffBaseMs,
    avoidsPreviousHosts: retries.retryIgnorePreviousHosts ?? defaultRetryPolicy.avoidsPreviousHosts,
    triesRemoteLocalities: retries.retryRemoteLocalities ?? defaultRetryPolicy.triesRemoteLocalities,
  };
}

type Conditions = Pick<RetryPolicy, "conditions" | "statusCodes">;

/** Who lists status codes need not say that they count. */
function withStatusCondition({ conditions, statusCodes }: Conditions): Conditions {
  const needed = "retriable-status-codes";
  const isMissing = statusCodes.length > 0 && !conditions.includes(needed);
  return { conditions: isMissing ? [...conditions, needed] : conditions, statusCodes };
}
