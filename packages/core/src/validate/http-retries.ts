// `timeout` and `retries` of a rule (istio-semantics 2.6 and 2.11).
import { type FieldPath, type HttpRetry, type HttpRule, retryConditions } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { didYouMean } from "../parse/near-miss.ts";
import { checkDuration } from "./policy-durations.ts";
import type { Reporter } from "./reporter.ts";

/** Checks both of the rule at `path`, and whether the retries fit into the timeout. */
export function checkTiming({ timeout, retries }: HttpRule, path: FieldPath, reporter: Reporter): void {
  const timeoutMs = checkDuration(timeout, [...path, "timeout"], reporter);
  if (retries === undefined) return;
  const at = [...path, "retries"];
  const tryMs = checkDuration(retries.perTryTimeout, [...at, "perTryTimeout"], reporter);
  checkDuration(retries.backoff, [...at, "backoff"], reporter);
  checkAttempts(retries, at, reporter);
  checkRetryOn(retries.retryOn ?? "", [...at, "retryOn"], reporter);
  const { attempts = 0 } = retries;
  if (timeoutMs === null || tryMs === null || attempts === 0 || tryMs * (attempts + 1) <= timeoutMs) return;
  const message = `${attempts + 1} tries of ${retries.perTryTimeout} do not fit into the route's ${timeout}: the last are cut short or never made`;
  reporter.warning({
    code: "ineffective-field",
    path: [...at, "perTryTimeout"],
    message,
    hint: "Make timeout longer, or perTryTimeout shorter.",
  });
}

function checkAttempts(retries: HttpRetry, path: FieldPath, reporter: Reporter): void {
  if ((retries.attempts ?? 0) > 0) return;
  const given = (["perTryTimeout", "retryOn", "retryRemoteLocalities"] as const).filter(
    (field) => retries[field] !== undefined && retries[field] !== "",
  );
  if (given.length === 0) return;
  const message = `attempts ${retries.attempts === undefined ? "is not given" : "is 0"}, which switches retries off, but ${given.join(" and ")} is set`;
  reporter.error({ code: "conflicting-fields", path, message, hint: "Give attempts a number above 0." });
}

function checkRetryOn(retryOn: string, path: FieldPath, reporter: Reporter): void {
  if (retryOn === "") return;
  for (const word of retryOn.split(",")) {
    if (isStatusCode(word) || retryConditions.has(word)) continue;
    const why = withoutEffect[word];
    if (why !== undefined) {
      const message = `${quote(word)} has no effect`;
      reporter.warning({ code: "ineffective-field", path, message, hint: why });
      continue;
    }
    const trimmed = word.trim();
    const isSpaced = trimmed !== word && (isStatusCode(trimmed) || retryConditions.has(trimmed));
    const hint = isSpaced ? "Remove the spaces around it." : didYouMean(trimmed, retryConditions);
    const message = `${quote(word)} is neither a retry condition nor a status code`;
    reporter.error({
      code: "unknown-retry-condition",
      path,
      message,
      hint: hint ?? `Known here: ${[...retryConditions].join(", ")}.`,
    });
  }
}

/** Conditions that Istio accepts and nothing can meet here. */
const withoutEffect: Readonly<Record<string, string>> = {
  "retriable-headers": "A VirtualService cannot say which headers.",
  "http3-post-connect-failure": "No upstream is reached over HTTP/3.",
};

/** First and last of each run of registered status codes: those that Istio accepts. */
const statusCodes: readonly (readonly [number, number])[] = [
  [100, 103],
  [200, 208],
  [226, 226],
  [300, 305],
  [307, 308],
  [400, 418],
  [421, 426],
  [428, 429],
  [431, 431],
  [451, 451],
  [500, 508],
  [510, 511],
];

function isStatusCode(word: string): boolean {
  return /^\d{3}$/.test(word) && statusCodes.some(([first, last]) => Number(word) >= first && Number(word) <= last);
}
