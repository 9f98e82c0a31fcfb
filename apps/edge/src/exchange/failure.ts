// Everything that can go wrong with an exchange, as one table: what the client is told, how the access log names it, whose
// fault it is and whether the request may be sent again. One function turns a row into a response (proxy/local-response.ts).

import { grpcStatus, grpcStatusOf } from "./grpc.ts";

/** Who caused it. */
export type Side = "downstream" | "upstream" | "sluice";

export interface Failure {
  /** Status of the response Sluice makes. */
  readonly status: number;
  /** Envoy's response flag, `-` where Envoy sets none. */
  readonly flag: string;
  /** Envoy's response code details. */
  readonly details: string;
  readonly side: Side;
  /** True when the upstream cannot have begun to act on the request. */
  readonly isSafeToRetry: boolean;
  /** Whether the downstream connection must close after the response: its framing can no longer be trusted. */
  readonly closesDownstream: boolean;
  /** What a gRPC client is told instead of `status`. */
  readonly grpcStatus: number;
}

const row = (
  status: number,
  flag: string,
  details: string,
  rest: { side: Side; retry?: boolean; close?: boolean; grpc?: number },
): Failure => ({
  status,
  flag,
  details,
  side: rest.side,
  isSafeToRetry: rest.retry ?? false,
  closesDownstream: rest.close ?? false,
  grpcStatus: rest.grpc ?? grpcStatusOf(status),
});

/** The table. Flags and details are Envoy's names (istio-semantics 2.9). */
export const failures = {
  bad_request: row(400, "DPE", "http1.codec_error", { side: "downstream", close: true }),
  bad_path: row(400, "-", "path_normalization_failed", { side: "downstream" }),
  missing_host: row(400, "-", "missing_host_header", { side: "downstream", close: true }),
  body_too_large: row(413, "-", "request_payload_too_large", { side: "downstream" }),
  expectation_failed: row(417, "-", "expectation_failed", { side: "downstream", close: true }),
  head_too_large: row(431, "-", "request_headers_too_large", { side: "downstream", close: true }),
  not_implemented: row(501, "-", "unsupported_transfer_encoding", { side: "downstream", close: true }),
  head_timeout: row(408, "-", "request_header_timeout", { side: "downstream", close: true }),
  low_version: row(426, "-", "low_version", { side: "downstream", close: true }),
  route_not_found: row(404, "NR", "route_not_found", { side: "downstream" }),
  misdirected: row(421, "NR", "misdirected_request", { side: "downstream" }),
  chain_changed: row(421, "NR", "filter_chain_changed", { side: "sluice", close: true }),
  cluster_not_found: row(503, "NC", "cluster_not_found", { side: "sluice", retry: true }),
  no_healthy_upstream: row(503, "UH", "no_healthy_upstream", { side: "upstream", retry: true }),
  upstream_overflow: row(503, "UO", "upstream_reset_before_response_started{overflow}", {
    side: "upstream",
    retry: true,
  }),
  connect_failure: row(503, "UF", "upstream_reset_before_response_started{connection_failure}", {
    side: "upstream",
    retry: true,
  }),
  connect_timeout: row(503, "UF", "upstream_reset_before_response_started{connection_timeout}", {
    side: "upstream",
    retry: true,
  }),
  /** No handshake, or the upstream is not who it should be; also where a certificate of ours is missing. Nothing was sent. */
  upstream_tls_failure: row(503, "UF", "upstream_reset_before_response_started{connection_failure,TLS_error}", {
    side: "upstream",
    retry: true,
  }),
  /** HTTP/2: the upstream says that it has not looked at the request (RFC 9113, 8.7). */
  upstream_refused_stream: row(503, "UR", "upstream_reset_before_response_started{remote_refused_stream_reset}", {
    side: "upstream",
    retry: true,
  }),
  upstream_reset: row(503, "UC", "upstream_reset_before_response_started{connection_termination}", {
    side: "upstream",
  }),
  upstream_protocol_error: row(502, "UPE", "upstream_reset_before_response_started{protocol_error}", {
    side: "upstream",
  }),
  upstream_timeout: row(504, "UT", "response_timeout", { side: "upstream", grpc: grpcStatus.deadlineExceeded }),
  per_try_timeout: row(504, "UT", "upstream_per_try_timeout", { side: "upstream", grpc: grpcStatus.deadlineExceeded }),
  stream_idle_timeout: row(504, "SI", "stream_idle_timeout", { side: "upstream" }),
  /** After the response head has gone: nothing can be said any more, the stream is reset. */
  upstream_reset_midway: row(502, "UC", "upstream_reset_after_response_started{connection_termination}", {
    side: "upstream",
  }),
  /** The status is the route's. */
  fault_abort: row(0, "FI", "fault_filter_abort", { side: "sluice" }),
  downstream_gone: row(0, "DC", "downstream_remote_disconnect", { side: "downstream", close: true }),
  /** Too many streams reset, or too many frames that carry nothing: the connection gets GOAWAY with ENHANCE_YOUR_CALM. */
  http2_flood: row(0, "DPE", "http2.flood", { side: "downstream", close: true }),
  draining: row(503, "-", "server_draining", { side: "sluice", close: true }),
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof failures;
