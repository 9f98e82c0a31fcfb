// `connectionPool` of a traffic policy: its schema and rules (istio-semantics 1.3).
import { z } from "zod";
import type { ConnectionPoolSettings, FieldPath } from "../model/index.ts";
import { checkDuration, checkDurationOrZero } from "./policy-durations.ts";
import { text } from "./primitives.ts";
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
  maxRetries: limit,
  idleTimeout: text.optional(),
  h2UpgradePolicy: z.enum(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]).optional(),
  useClientProtocol: z.boolean().optional(),
  maxConcurrentStreams: limit,
  http2KeepAlive: z.strictObject({ interval: text, timeout: text }).optional(),
});

export const connectionPool: z.ZodType<ConnectionPoolSettings> = z.strictObject({
  tcp: tcpPool.optional(),
  http: httpPool.optional(),
});

export function checkPool(pool: ConnectionPoolSettings | undefined, path: FieldPath, reporter: Reporter): void {
  if (pool === undefined) return;
  const { tcp = {}, http = {} } = pool;
  if (pool.tcp === undefined && pool.http === undefined) {
    const message = "connectionPool says nothing: it needs tcp, http or both";
    reporter.error({ code: "missing-field", path, message, hint: "Remove it, or name a limit." });
  }
  const tcpPath = [...path, "tcp"];
  checkDuration(tcp.connectTimeout, [...tcpPath, "connectTimeout"], reporter);
  checkDuration(tcp.tcpKeepalive?.time, [...tcpPath, "tcpKeepalive", "time"], reporter);
  checkDuration(tcp.maxConnectionDuration, [...tcpPath, "maxConnectionDuration"], reporter);
  checkDurationOrZero(tcp.idleTimeout, [...tcpPath, "idleTimeout"], reporter);
  const httpPath = [...path, "http"];
  checkDuration(http.idleTimeout, [...httpPath, "idleTimeout"], reporter);
  checkDuration(http.http2KeepAlive?.interval, [...httpPath, "http2KeepAlive", "interval"], reporter);
  checkDuration(http.http2KeepAlive?.timeout, [...httpPath, "http2KeepAlive", "timeout"], reporter);
  if (http.useClientProtocol !== true || http.h2UpgradePolicy !== "UPGRADE") return;
  const message =
    "with useClientProtocol the client's protocol is used; h2UpgradePolicy UPGRADE asks for HTTP/2 always";
  reporter.error({ code: "conflicting-fields", path: [...httpPath, "useClientProtocol"], message });
}
