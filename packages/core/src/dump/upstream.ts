// How a cluster's endpoints are reached, as either dialect prints it. What is Istio's default is not printed.
import {
  type Cluster,
  type ClusterLimits,
  defaultClusterLimits,
  type RetryBudget,
  type UpstreamTls,
} from "../model/index.ts";
import { formatDuration, type JsonObject, nonEmpty, optional, typeUrl } from "./json.ts";
import { sdsSecret } from "./tls.ts";

const httpOptionsName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** Today's fields of a cluster. */
export function upstreamFields(cluster: Cluster): JsonObject {
  const { limits } = cluster;
  const keepaliveTime = limits.tcpKeepaliveMs === null ? null : Math.ceil(limits.tcpKeepaliveMs / 1000);
  return {
    ...optional("circuitBreakers", circuitBreakers(limits)),
    ...optional("upstreamConnectionOptions", keepaliveTime === null ? null : { tcpKeepalive: { keepaliveTime } }),
    ...optional("typedExtensionProtocolOptions", protocolOptions(cluster)),
    ...optional("transportSocket", transportSocket(cluster)),
  };
}

/** The fields of 1.0, which knew neither a PROXY header to the upstream nor a limit to a connection's age. */
export function legacyUpstreamFields({ limits, protocol, tls }: Cluster): JsonObject {
  const { maxRequestsPerConnection, maxConcurrentStreams } = limits;
  return {
    ...optional("circuitBreakers", circuitBreakers(limits)),
    ...(maxRequestsPerConnection === 0 ? {} : { maxRequestsPerConnection }),
    ...(protocol === "http2" ? { http2ProtocolOptions: streamLimit(maxConcurrentStreams) } : {}),
    ...(protocol === "downstream" ? { protocolSelection: "USE_DOWNSTREAM_PROTOCOL" } : {}),
    ...(tls === null ? {} : { tlsContext: legacyTlsContext(tls, protocol) }),
  };
}

/** What Envoy prints for "without limit". */
const unlimited = 4_294_967_295;

function circuitBreakers(limits: ClusterLimits): JsonObject | null {
  const { maxConnections, maxPendingRequests, maxRequests, maxRetries, retryBudget } = limits;
  const isUnlimited = maxConnections === 0 && maxPendingRequests === 0 && maxRequests === 0 && maxRetries === 0;
  if (isUnlimited && retryBudget === null) return null;
  const threshold = {
    maxConnections: maxConnections || unlimited,
    maxPendingRequests: maxPendingRequests || unlimited,
    maxRequests: maxRequests || unlimited,
    ...(maxRetries === 0 ? {} : { maxRetries }),
    ...optional("retryBudget", retryBudget === null ? null : budget(retryBudget)),
  };
  return { thresholds: [threshold] };
}

function budget({ percent, minRetryConcurrency, intervalMs }: RetryBudget): JsonObject {
  return {
    budgetPercent: { value: percent },
    minRetryConcurrency,
    ...(intervalMs === 0 ? {} : { budgetInterval: seconds(intervalMs) }),
  };
}

function protocolOptions({ protocol, limits, tls }: Cluster): JsonObject | null {
  const { maxRequestsPerConnection: maxRequests, maxConnectionDurationMs, idleTimeoutMs } = limits;
  const common = {
    ...(idleTimeoutMs === defaultClusterLimits.idleTimeoutMs ? {} : { idleTimeout: seconds(idleTimeoutMs) }),
    ...(maxConnectionDurationMs === 0 ? {} : { maxConnectionDuration: seconds(maxConnectionDurationMs) }),
    ...(maxRequests === 0 ? {} : { maxRequestsPerConnection: maxRequests }),
  };
  const auto = tls === null || protocol === "tcp" ? {} : serverNameOptions(tls);
  const isPlain = (protocol === "http1" || protocol === "tcp") && Object.keys({ ...common, ...auto }).length === 0;
  if (isPlain) return null;
  const options = {
    ...typeUrl(httpOptionsName),
    ...(Object.keys(common).length === 0 ? {} : { commonHttpProtocolOptions: common }),
    ...(Object.keys(auto).length === 0 ? {} : { upstreamHttpProtocolOptions: auto }),
    ...protocolChoice(protocol, limits),
  };
  return { [httpOptionsName]: options };
}

function protocolChoice(
  protocol: Cluster["protocol"],
  { maxConcurrentStreams, http2Keepalive }: ClusterLimits,
): JsonObject {
  const http2ProtocolOptions = { ...streamLimit(maxConcurrentStreams), ...keepalive(http2Keepalive) };
  if (protocol === "downstream") {
    return { useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions } };
  }
  return { explicitHttpConfig: protocol === "http2" ? { http2ProtocolOptions } : { httpProtocolOptions: {} } };
}

function streamLimit(maxConcurrentStreams: number): JsonObject {
  return maxConcurrentStreams === 0 ? {} : { maxConcurrentStreams };
}

function keepalive(settings: ClusterLimits["http2Keepalive"]): JsonObject {
  if (settings === null) return {};
  return { connectionKeepalive: { interval: seconds(settings.intervalMs), timeout: seconds(settings.timeoutMs) } };
}

function serverNameOptions({ sni, subjectAltNames, acceptsUntrusted }: UpstreamTls): JsonObject {
  return {
    ...(sni === "" ? { autoSni: true } : {}),
    ...(subjectAltNames.length === 0 && !acceptsUntrusted ? { autoSanValidation: true } : {}),
  };
}

function transportSocket({ tls, protocol, sendsProxyProtocol: version }: Cluster): JsonObject | null {
  const tlsSocket = tls === null ? null : upstreamTlsSocket(tls, protocol);
  if (version === null) return tlsSocket;
  const rawSocket = {
    name: "envoy.transport_sockets.raw_buffer",
    typedConfig: typeUrl("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"),
  };
  return {
    name: "envoy.transport_sockets.upstream_proxy_protocol",
    typedConfig: {
      ...typeUrl("envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"),
      config: { version },
      transportSocket: tlsSocket ?? rawSocket,
    },
  };
}

function upstreamTlsSocket(tls: UpstreamTls, protocol: Cluster["protocol"]): JsonObject {
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: {
      ...typeUrl("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
      commonTlsContext: {
        tlsParams: { tlsMinimumProtocolVersion: "TLSv1_2", tlsMaximumProtocolVersion: "TLSv1_3" },
        ...(tls.certificate === null ? {} : { tlsCertificateSdsSecretConfigs: [sdsSecret(tls.certificate)] }),
        ...validation(tls),
        ...nonEmpty("alpnProtocols", alpn(protocol)),
      },
      ...(tls.sni === "" ? {} : { sni: tls.sni }),
    },
  };
}

/** The name that Istio gives the system's CA bundle. */
const systemCa = "file-root:system";

function validation({ trustedCa, crl, subjectAltNames, acceptsUntrusted }: UpstreamTls): JsonObject {
  if (acceptsUntrusted) return { validationContext: { trustChainVerification: "ACCEPT_UNTRUSTED" } };
  const crlFile = crl?.startsWith("file-crl:") === true ? { filename: crl.slice("file-crl:".length) } : null;
  const defaultValidationContext = {
    ...nonEmpty(
      "matchSubjectAltNames",
      subjectAltNames.map((exact) => ({ exact })),
    ),
    ...optional("crl", crlFile),
  };
  const validationContextSdsSecretConfig = sdsSecret(trustedCa ?? systemCa);
  return { combinedValidationContext: { defaultValidationContext, validationContextSdsSecretConfig } };
}

function alpn(protocol: Cluster["protocol"]): readonly string[] {
  return protocol === "http2" ? ["h2"] : protocol === "downstream" ? ["h2", "http/1.1"] : [];
}

/** 1.0 read files only, under `filename`; what came from a Secret is printed in its style. */
function legacyTlsContext(tls: UpstreamTls, protocol: Cluster["protocol"]): JsonObject {
  const [certificateChain = "", privateKey = ""] = (tls.certificate ?? "").replace(/^file-cert:/, "").split("~");
  const isFile = tls.certificate?.startsWith("file-cert:") === true;
  const files = [{ certificateChain: { filename: certificateChain }, privateKey: { filename: privateKey } }];
  const trustedCa = tls.trustedCa === null ? null : legacySource(tls.trustedCa, "file-root:");
  return {
    commonTlsContext: {
      ...(isFile ? { tlsCertificates: files } : {}),
      ...(tls.certificate !== null && !isFile ? { tlsCertificateSdsSecretConfigs: [sdsSecret(tls.certificate)] } : {}),
      validationContext: {
        ...optional("trustedCa", trustedCa),
        ...optional("crl", tls.crl === null ? null : legacySource(tls.crl, "file-crl:")),
        ...nonEmpty("verifySubjectAltName", tls.subjectAltNames),
      },
      ...nonEmpty("alpnProtocols", alpn(protocol)),
    },
    ...(tls.sni === "" ? {} : { sni: tls.sni }),
  };
}

function legacySource(name: string, filePrefix: string): JsonObject {
  return name.startsWith(filePrefix) ? { filename: name.slice(filePrefix.length) } : { sds: name };
}

function seconds(durationMs: number): string {
  return formatDuration(durationMs, "modern");
}
