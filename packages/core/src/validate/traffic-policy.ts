// `trafficPolicy` of a DestinationRule or of one of its subsets: its schema and rules (istio-semantics 1.3). Its larger parts have files of
// their own.
import { z } from "zod";
import type { FieldPath, PortTrafficPolicy, RetryBudgetSettings, TrafficPolicy } from "../model/index.ts";
import { checkClientTls, clientTls } from "./client-tls.ts";
import { checkPool, connectionPool } from "./connection-pool.ts";
import { checkLoadBalancer, loadBalancer } from "./load-balancer.ts";
import { checkOutlierDetection, outlierDetection } from "./outlier-detection.ts";
import { checkDurationOrZero } from "./policy-durations.ts";
import { portNumber, text } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

const ofOnePort = {
  connectionPool: connectionPool.optional(),
  loadBalancer: loadBalancer.optional(),
  outlierDetection: outlierDetection.optional(),
  tls: clientTls.optional(),
};

const retryBudget: z.ZodType<RetryBudgetSettings> = z.strictObject({
  percent: z.number().min(0).max(100).optional(),
  minRetryConcurrency: z.int().min(0).max(4_294_967_295).optional(),
  budgetInterval: text.optional(),
});

export const trafficPolicy: z.ZodType<TrafficPolicy> = z.strictObject({
  ...ofOnePort,
  proxyProtocol: z.strictObject({ version: z.enum(["V1", "V2"]).optional() }).optional(),
  retryBudget: retryBudget.optional(),
  portLevelSettings: z
    .array(z.strictObject({ ...ofOnePort, port: z.strictObject({ number: portNumber }) }))
    .max(4096)
    .optional(),
});

/** The rules that a schema cannot say. */
export function checkTrafficPolicy(policy: TrafficPolicy | undefined, path: FieldPath, reporter: Reporter): void {
  if (policy === undefined) return;
  checkPortPolicy(policy, path, reporter);
  checkDurationOrZero(policy.retryBudget?.budgetInterval, [...path, "retryBudget", "budgetInterval"], reporter);
  const maxRetries = policy.connectionPool?.http?.maxRetries ?? 0;
  if (policy.retryBudget !== undefined && maxRetries > 0) {
    const at = [...path, "connectionPool", "http", "maxRetries"];
    const message = "maxRetries has no effect: retryBudget takes its place";
    reporter.warning({ code: "ineffective-field", path: at, message, hint: "Keep one of the two." });
  }
  const seen = new Set<number>();
  for (const [index, settings] of (policy.portLevelSettings ?? []).entries()) {
    const at = [...path, "portLevelSettings", index];
    const { number } = settings.port;
    if (seen.has(number)) {
      const message = `port ${number} has settings already`;
      reporter.error({ code: "duplicate-port", path: [...at, "port", "number"], message, hint: "Join the two." });
    }
    seen.add(number);
    checkPortPolicy(settings, at, reporter);
  }
}

function checkPortPolicy(policy: PortTrafficPolicy, path: FieldPath, reporter: Reporter): void {
  const says = Object.entries(policy).some(([field, value]) => field !== "port" && value !== undefined);
  if (!says) {
    const hint = "Remove it, or say how connections are made.";
    reporter.error({ code: "missing-field", path, message: "a traffic policy needs at least one setting", hint });
  }
  checkPool(policy.connectionPool, [...path, "connectionPool"], reporter);
  const scope = { path: [...path, "loadBalancer"], detectsOutliers: policy.outlierDetection !== undefined };
  if (policy.loadBalancer !== undefined) checkLoadBalancer(policy.loadBalancer, scope, reporter);
  checkOutlierDetection(policy.outlierDetection, [...path, "outlierDetection"], reporter);
  checkClientTls(policy.tls ?? {}, [...path, "tls"], reporter);
}
