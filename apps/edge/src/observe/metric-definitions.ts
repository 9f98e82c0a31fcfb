// Every metric there is: name, kind, labels, meaning. The one place they are named; docs/reference/metrics.md is made from it.

export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

const requestLabels = [
  "reporter",
  "destination_service",
  "virtual_host",
  "route",
  "request_protocol",
  "response_code",
  "response_flags",
] as const;

const connectionLabels = ["reporter", "destination_service", "listener", "cluster", "request_protocol"] as const;

export const metricDefinitions = {
  istio_requests_total: {
    type: "counter",
    help: "Requests answered, by the virtual host and route that took them (never by what clients wrote in Host or path).",
    labels: requestLabels,
  },
  istio_request_duration_milliseconds: {
    type: "histogram",
    help: "From the arrival of the request's head to the end of its response.",
    labels: requestLabels,
  },
  istio_request_bytes: { type: "histogram", help: "Bytes of request bodies.", labels: requestLabels },
  istio_response_bytes: { type: "histogram", help: "Bytes of response bodies.", labels: requestLabels },
  istio_tcp_connections_opened_total: {
    type: "counter",
    help: "Connections taken to be forwarded as raw bytes (TCP, TLS passthrough).",
    labels: connectionLabels,
  },
  istio_tcp_connections_closed_total: {
    type: "counter",
    help: "Those that have ended, by Envoy's response flag.",
    labels: [...connectionLabels, "response_flags"],
  },
  istio_tcp_received_bytes_total: {
    type: "counter",
    help: "Raw bytes received from clients, counted as they move.",
    labels: connectionLabels,
  },
  istio_tcp_sent_bytes_total: {
    type: "counter",
    help: "Raw bytes sent to clients, counted as they move.",
    labels: connectionLabels,
  },
  sluice_tcp_connections: {
    type: "gauge",
    help: "Connections being forwarded as raw bytes now.",
    labels: ["listener", "cluster"],
  },
  sluice_downstream_connections: { type: "gauge", help: "Client connections open now.", labels: ["listener"] },
  sluice_downstream_connections_total: { type: "counter", help: "Client connections accepted.", labels: ["listener"] },
  sluice_downstream_handshake_failures_total: {
    type: "counter",
    help: "Connections refused in their TLS handshake or for their PROXY protocol header, by filter chain and reason.",
    labels: ["listener", "filter_chain", "reason"],
  },
  sluice_downstream_refused_requests_total: {
    type: "counter",
    help: "Requests refused because they could be understood in more than one way or exceed a limit.",
    labels: ["listener", "reason"],
  },
  sluice_downstream_active_requests: { type: "gauge", help: "Requests under way.", labels: [] },
  sluice_upstream_connections: {
    type: "gauge",
    help: "Upstream connections open now: idle, or active.",
    labels: ["cluster", "state"],
  },
  sluice_upstream_connects_total: { type: "counter", help: "Upstream connections opened.", labels: ["cluster"] },
  sluice_upstream_connect_failures_total: {
    type: "counter",
    help: "Upstream connections that could not be opened.",
    labels: ["cluster"],
  },
  sluice_upstream_active_requests: { type: "gauge", help: "Requests sent and not answered yet.", labels: ["cluster"] },
  sluice_upstream_pending_requests: {
    type: "gauge",
    help: "Requests waiting for a connection.",
    labels: ["cluster"],
  },
  sluice_upstream_connection_reuses_total: {
    type: "counter",
    help: "Requests that went out on a connection used before.",
    labels: ["cluster"],
  },
  sluice_upstream_resends_total: {
    type: "counter",
    help: "Requests sent a second time because a kept connection died under them.",
    labels: ["cluster"],
  },
  sluice_upstream_retries_total: { type: "counter", help: "Retries sent.", labels: ["cluster"] },
  sluice_upstream_retries_refused_total: {
    type: "counter",
    help: "Retries that maxRetries or the retry budget did not allow.",
    labels: ["cluster"],
  },
  sluice_upstream_ejections_total: {
    type: "counter",
    help: "Endpoints ejected by outlier detection, by reason; each worker decides for itself.",
    labels: ["cluster", "reason"],
  },
  sluice_upstream_ejections_refused_total: {
    type: "counter",
    help: "Ejections that maxEjectionPercent did not allow.",
    labels: ["cluster"],
  },
  sluice_upstream_ejected_endpoints: {
    type: "gauge",
    help: "Workers that have ejected an endpoint now; no series for endpoints that none has.",
    labels: ["cluster", "endpoint", "reason"],
  },
  sluice_upstream_retries_given_up_total: {
    type: "counter",
    help: "Retries that their route wanted and could not have: attempts used up (limit), body too large to be kept (body).",
    labels: ["cluster", "reason"],
  },
  sluice_mirrored_requests_total: {
    type: "counter",
    help: "Copies of requests sent to mirrors: answered, failed, or dropped because the mirror did not keep up.",
    labels: ["cluster", "result"],
  },
  sluice_injected_faults_total: {
    type: "counter",
    help: "Faults that routes inject, by kind (delay, abort).",
    labels: ["kind"],
  },
  sluice_table_info: { type: "gauge", help: "1, with the version of the live table.", labels: ["version"] },
  sluice_table_live_timestamp_seconds: { type: "gauge", help: "When the live table went live.", labels: [] },
  sluice_table_updates_total: { type: "counter", help: "Tables offered by ctrl, by outcome.", labels: ["result"] },
  sluice_table_resources: { type: "gauge", help: "Resources in the live table, by kind.", labels: ["type"] },
  sluice_ctrl_connected: { type: "gauge", help: "1 while ctrl is connected.", labels: [] },
  sluice_ctrl_connections_total: { type: "counter", help: "Connections that a ctrl has welcomed.", labels: [] },
  sluice_ctrl_received_bytes_total: { type: "counter", help: "Bytes that ctrl has sent.", labels: [] },
  sluice_ctrl_last_commit_resources: {
    type: "gauge",
    help: "Resources that came with the last table: those that this edge did not have.",
    labels: [],
  },
  sluice_certificate_expiration_timestamp_seconds: {
    type: "gauge",
    help: "When a server or CA certificate of the live table ends.",
    labels: ["secret", "kind"],
  },
  sluice_certificate_days_left: {
    type: "gauge",
    help: "Days until then; negative when it has ended.",
    labels: ["secret", "kind"],
  },
  sluice_workers: { type: "gauge", help: "Workers serving the live table.", labels: [] },
  sluice_worker_restarts_total: {
    type: "counter",
    help: "Workers replaced after they ended unexpectedly.",
    labels: [],
  },
  sluice_worker_resident_memory_bytes: { type: "gauge", help: "Resident memory of a worker.", labels: ["worker"] },
  sluice_worker_longest_pause_seconds: {
    type: "gauge",
    help: "The longest time since the last scrape in which a worker did nothing else: what a request may have waited for.",
    labels: ["worker"],
  },
  sluice_worker_cpu_seconds_total: {
    type: "counter",
    help: "CPU time of a worker, user and system.",
    labels: ["worker"],
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metricDefinitions;
