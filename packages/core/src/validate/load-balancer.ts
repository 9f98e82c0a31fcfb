// `loadBalancer` of a traffic policy: its schema and rules (istio-semantics 1.3). Localities have a file of their own.
import { z } from "zod";
import type { ConsistentHashSettings, FieldPath, LoadBalancerSettings, WarmupSettings } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkHashCookie } from "./hash-cookie.ts";
import { checkLocalitySettings, localitySettings } from "./locality-settings.ts";
import { checkDuration } from "./policy-durations.ts";
import { text } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

/** Envoy's limit to a ring, which Istio leaves as it is. */
const maxRingSize = 8_388_608;
/** Istio's: a table is a prime below this. */
const tableSizeBound = 5_000_011;

const ringSize = z.int().min(0).max(maxRingSize).optional();

const consistentHash: z.ZodType<ConsistentHashSettings> = z.strictObject({
  httpHeaderName: text.min(1).optional(),
  httpCookie: z
    .strictObject({
      name: text.min(1),
      path: text.optional(),
      ttl: text.optional(),
      attributes: z.array(z.strictObject({ name: text.min(1), value: text.optional() })).optional(),
    })
    .optional(),
  useSourceIp: z.boolean().optional(),
  httpQueryParameterName: text.min(1).optional(),
  ringHash: z.strictObject({ minimumRingSize: ringSize }).optional(),
  maglev: z
    .strictObject({
      tableSize: z
        .int()
        .min(0)
        .max(tableSizeBound - 1)
        .optional(),
    })
    .optional(),
  minimumRingSize: ringSize,
});

export const loadBalancer: z.ZodType<LoadBalancerSettings> = z.strictObject({
  simple: z.enum(["UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "PASSTHROUGH"]).optional(),
  consistentHash: consistentHash.optional(),
  localityLbSetting: localitySettings.optional(),
  warmup: z
    .strictObject({
      duration: text,
      minimumPercent: z.number().min(0).max(100).optional(),
      aggression: z.number().min(1).optional(),
    })
    .optional(),
  warmupDurationSecs: text.optional(),
});

/** Where a block stands, and whether the same policy detects outliers. */
export interface BalancerScope {
  readonly path: FieldPath;
  readonly detectsOutliers: boolean;
}

export function checkLoadBalancer(
  balancer: LoadBalancerSettings,
  { path, detectsOutliers }: BalancerScope,
  reporter: Reporter,
): void {
  const { simple, consistentHash: hash, localityLbSetting: locality } = balancer;
  if (simple !== undefined && hash !== undefined) {
    const message = "simple and consistentHash both say how endpoints are chosen";
    reporter.error({ code: "conflicting-fields", path: [...path, "simple"], message, hint: "Keep one of the two." });
  }
  if (simple === "PASSTHROUGH") {
    const message = "the client's connection ends at the gateway, so PASSTHROUGH has no address to go on to";
    const hint = "Endpoints are used in turn, as with ROUND_ROBIN.";
    reporter.warning({ code: "ineffective-field", path: [...path, "simple"], message, hint });
  }
  if (hash !== undefined) checkHash(hash, [...path, "consistentHash"], reporter);
  if (locality !== undefined) {
    checkLocalitySettings(locality, { path: [...path, "localityLbSetting"], detectsOutliers }, reporter);
  }
  checkWarmup(balancer, path, reporter);
}

const hashKeys = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"] as const;

function checkHash(hash: ConsistentHashSettings, path: FieldPath, reporter: Reporter): void {
  const [key, ...others] = hashKeys.filter((name) => hash[name] !== undefined);
  for (const other of others) {
    const message = `${key} and ${other} both say what is hashed`;
    reporter.error({ code: "conflicting-fields", path: [...path, other], message, hint: "Keep one of the two." });
  }
  if (key === undefined || (key === "useSourceIp" && hash.useSourceIp === false)) {
    const message = "nothing of a request is hashed: requests are spread at random";
    reporter.warning({ code: "missing-hash-key", path, message, hint: `Add one of ${hashKeys.join(", ")}.` });
  }
  if (hash.httpCookie !== undefined) checkHashCookie(hash.httpCookie, [...path, "httpCookie"], reporter);
  checkHashAlgorithm(hash, path, reporter);
}

function checkHashAlgorithm(
  { ringHash, maglev, minimumRingSize }: ConsistentHashSettings,
  path: FieldPath,
  reporter: Reporter,
): void {
  if (ringHash !== undefined && maglev !== undefined) {
    const message = "ringHash and maglev are two algorithms";
    reporter.error({ code: "conflicting-fields", path: [...path, "maglev"], message, hint: "Keep one of the two." });
  }
  if (minimumRingSize !== undefined && minimumRingSize !== 0) {
    const at = [...path, "minimumRingSize"];
    if (ringHash !== undefined || maglev !== undefined) {
      const message = `minimumRingSize cannot stand beside ${ringHash === undefined ? "maglev" : "ringHash"}`;
      reporter.error({ code: "conflicting-fields", path: at, message, hint: "Remove minimumRingSize." });
    } else {
      const hint = `Write ringHash: {minimumRingSize: ${minimumRingSize}}.`;
      reporter.warning({ code: "deprecated-field", path: at, message: "minimumRingSize is deprecated", hint });
    }
  }
  if (maglev !== undefined) checkTableSize(maglev.tableSize ?? 0, [...path, "maglev", "tableSize"], reporter);
}

function checkTableSize(size: number, path: FieldPath, reporter: Reporter): void {
  if (size === 0) {
    const hint = "Write 65537, or another prime well above a hundred times the number of endpoints.";
    reporter.error({ code: "missing-field", path, message: "maglev needs a tableSize", hint });
  } else if (!isPrime(size)) {
    const hint = `The next prime is ${nextPrime(size)}.`;
    reporter.error({ code: "out-of-range", path, message: `${size} is not a prime number`, hint });
  }
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return true;
}

function nextPrime(above: number): number {
  let candidate = above + 1;
  while (!isPrime(candidate)) candidate++;
  return candidate;
}

function checkWarmup(balancer: LoadBalancerSettings, path: FieldPath, reporter: Reporter): void {
  const { simple, consistentHash: hash, warmup, warmupDurationSecs } = balancer;
  if (warmup !== undefined) checkWarmupDuration(warmup, [...path, "warmup"], reporter);
  const old = [...path, "warmupDurationSecs"];
  checkDuration(warmupDurationSecs, old, reporter);
  if (warmup !== undefined && warmupDurationSecs !== undefined) {
    const message = "warmup and warmupDurationSecs both say how long new endpoints are spared; warmup is used";
    reporter.warning({ code: "ineffective-field", path: old, message, hint: "Remove warmupDurationSecs." });
  } else if (warmupDurationSecs !== undefined) {
    const hint = `Write warmup: {duration: ${warmupDurationSecs}}.`;
    reporter.warning({ code: "deprecated-field", path: old, message: "warmupDurationSecs is deprecated", hint });
  }
  if (warmup === undefined && warmupDurationSecs === undefined) return;
  if (hash === undefined && simple !== "RANDOM") return;
  const field = warmup === undefined ? "warmupDurationSecs" : "warmup";
  const message = `${field} has no effect: ${hash === undefined ? "RANDOM" : "consistentHash"} gives no endpoint less than another`;
  const hint = "New endpoints are spared with LEAST_REQUEST and ROUND_ROBIN.";
  reporter.warning({ code: "ineffective-field", path: [...path, field], message, hint });
}

function checkWarmupDuration({ duration }: WarmupSettings, path: FieldPath, reporter: Reporter): void {
  if (duration === "") {
    const message = `${quote("duration")} is missing`;
    return reporter.error({ code: "missing-field", path: [...path, "duration"], message });
  }
  checkDuration(duration, [...path, "duration"], reporter);
}
