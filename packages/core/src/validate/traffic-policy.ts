// `trafficPolicy` of a DestinationRule: its schema, and which settings go together (istio-semantics 1.3). TLS has a file of its own.
import { z } from "zod";
import { type ConnectionPoolSettings, type FieldPath, parseDurationMs, type TrafficPolicy } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkClientTls, clientTls } from "./client-tls.ts";
import { portNumber, text } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

/** protobuf's int32, of which these fields use what is not negative. */
const limit = z.int().min(0).max(2_147_483_647).optional();

const tcpPool = z.strictObject({
  maxConnections: limit,
  connectTimeout: text.optional(),
  tcpKeepalive: z.strictObject({ time: text.optional() }).optional(),
  maxConnectionDuration: text.optional(),
  idleTimeout: text.optional(),
});

const httpPool = z.strictObject({
  http1MaxPendingRequests: limit,
  http2MaxRequests: limit,
  maxRequestsPerConnection: limit,
  idleTimeout: text.optional(),
  h2UpgradePolicy: z.enum(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]).optional(),
  useClientProtocol: z.boolean().optional(),
  maxConcurrentStreams: limit,
});

/** `LEAST_CONN` is the old name of `LEAST_REQUEST`, which is also what `UNSPECIFIED` means, and the only balancer here. */
const loadBalancer = z.strictObject({ simple: z.enum(["UNSPECIFIED", "LEAST_REQUEST", "LEAST_CONN"]).optional() });

const ofOnePort = {
  connectionPool: z.strictObject({ tcp: tcpPool.optional(), http: httpPool.optional() }).optional(),
  loadBalancer: loadBalancer.optional(),
  tls: clientTls.optional(),
};

export const trafficPolicy: z.ZodType<TrafficPolicy> = z.strictObject({
  ...ofOnePort,
  proxyProtocol: z.strictObject({ version: z.enum(["V1", "V2"]).optional() }).optional(),
  portLevelSettings: z
    .array(z.strictObject({ ...ofOnePort, port: z.strictObject({ number: portNumber }) }))
    .max(4096)
    .optional(),
});

/** The rules that a schema cannot say. */
export function checkTrafficPolicy(policy: TrafficPolicy, path: FieldPath, reporter: Reporter): void {
  checkPool(policy.connectionPool ?? {}, [...path, "connectionPool"], reporter);
  checkClientTls(policy.tls ?? {}, [...path, "tls"], reporter);
  const seen = new Set<number>();
  for (const [index, settings] of (policy.portLevelSettings ?? []).entries()) {
    const at = [...path, "portLevelSettings", index];
    const { number } = settings.port;
    if (seen.has(number)) {
      const message = `port ${number} has settings already`;
      reporter.error({ code: "duplicate-port", path: [...at, "port", "number"], message, hint: "Join the two." });
    }
    seen.add(number);
    checkPool(settings.connectionPool ?? {}, [...at, "connectionPool"], reporter);
    checkClientTls(settings.tls ?? {}, [...at, "tls"], reporter);
  }
}

function checkPool({ tcp = {}, http = {} }: ConnectionPoolSettings, path: FieldPath, reporter: Reporter): void {
  const tcpPath = [...path, "tcp"];
  checkDuration(tcp.connectTimeout, [...tcpPath, "connectTimeout"], reporter);
  checkDuration(tcp.tcpKeepalive?.time, [...tcpPath, "tcpKeepalive", "time"], reporter);
  checkDuration(tcp.maxConnectionDuration, [...tcpPath, "maxConnectionDuration"], reporter);
  const isNever = parseDurationMs(tcp.idleTimeout ?? "") === 0;
  if (!isNever) checkDuration(tcp.idleTimeout, [...tcpPath, "idleTimeout"], reporter);
  checkDuration(http.idleTimeout, [...path, "http", "idleTimeout"], reporter);
  if (http.useClientProtocol !== true || http.h2UpgradePolicy !== "UPGRADE") return;
  const message =
    "with useClientProtocol the client's protocol is used; h2UpgradePolicy UPGRADE asks for HTTP/2 always";
  reporter.error({ code: "conflicting-fields", path: [...path, "http", "useClientProtocol"], message });
}

/** Istio's rule: at least a millisecond, and whole ones. */
function checkDuration(duration: string | undefined, path: FieldPath, reporter: Reporter): void {
  if (duration === undefined) return;
  const durationMs = parseDurationMs(duration);
  if (durationMs !== null && durationMs >= 1 && Number.isInteger(durationMs)) return;
  const why = durationMs === null ? "is no duration" : "is not a whole number of milliseconds above 0";
  const hint = 'Write a number and its unit: "300ms", "1.5s", "1h".';
  reporter.error({ code: "invalid-duration", path, message: `${quote(duration)} ${why}`, hint });
}
