// What is logged of an exchange or a forwarded connection, under Istio's names, and the two ways it is written: Istio's text line and Istio's JSON.
import type { Exchange } from "../exchange/exchange.ts";
import { failures } from "../exchange/failure.ts";
import { flagText } from "../exchange/flags.ts";
import type { NetworkConnection } from "../exchange/network-handler.ts";

/** Keys as in Istio's JSON access log (istio-semantics 2.8). Null is printed as `-` in text. */
export interface AccessLogEntry {
  readonly start_time: string;
  readonly method: string | null;
  readonly path: string | null;
  readonly protocol: string | null;
  readonly response_code: number;
  readonly response_flags: string;
  readonly response_code_details: string | null;
  readonly connection_termination_details: string | null;
  readonly upstream_transport_failure_reason: string | null;
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly duration: number;
  readonly upstream_service_time: number | null;
  readonly x_forwarded_for: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly authority: string | null;
  readonly upstream_host: string | null;
  readonly upstream_cluster: string | null;
  readonly upstream_local_address: string | null;
  readonly downstream_local_address: string;
  readonly downstream_remote_address: string;
  readonly requested_server_name: string | null;
  readonly route_name: string | null;
}

export function accessLogEntry(exchange: Exchange): AccessLogEntry {
  const { downstream, upstream, selection } = exchange;
  const failure = exchange.failure === null ? null : failures[exchange.failure];
  const forwardedFor = exchange.header("x-forwarded-for");
  return {
    start_time: isoTime(exchange.startedAtMs),
    method: exchange.method,
    path: exchange.target,
    protocol: exchange.protocol,
    response_code: exchange.status,
    response_flags: flagText(failure?.flag ?? "-", exchange.flags),
    response_code_details: failure?.details ?? orNull(exchange.responseDetails) ?? plainDetails(exchange),
    connection_termination_details: null,
    upstream_transport_failure_reason: null,
    bytes_received: exchange.bytesReceived,
    bytes_sent: exchange.bytesSent,
    duration: Math.round(performance.now() - exchange.startedAt),
    upstream_service_time:
      exchange.upstreamRespondedAt === 0 ? null : Math.round(exchange.upstreamRespondedAt - exchange.upstreamStartedAt),
    x_forwarded_for: forwardedFor === null ? downstream.remoteAddress : `${forwardedFor},${downstream.remoteAddress}`,
    user_agent: exchange.header("user-agent"),
    request_id: orNull(exchange.requestId),
    authority: orNull(exchange.authority),
    upstream_host: orNull(upstream?.remoteAddress ?? ""),
    upstream_cluster: orNull(exchange.cluster),
    upstream_local_address: orNull(upstream?.localAddress ?? ""),
    downstream_local_address: joinAddress(downstream.localAddress, downstream.localPort),
    downstream_remote_address: joinAddress(downstream.remoteAddress, downstream.remotePort),
    requested_server_name: downstream.sni,
    route_name: orNull(selection?.routeName ?? ""),
  };
}

/** The last one is kept: its making costs as much as a third of a line, and under load many requests begin in one millisecond. */
function isoTime(milliseconds: number): string {
  if (milliseconds !== lastTime.milliseconds) {
    lastTime.milliseconds = milliseconds;
    lastTime.text = new Date(milliseconds).toISOString();
  }
  return lastTime.text;
}

const lastTime = { milliseconds: Number.NaN, text: "" };

function plainDetails({ upstream }: Exchange): string {
  return upstream === null ? "direct_response" : "via_upstream";
}

/** A connection that is not HTTP to Sluice: no request, status 0, as Istio logs it. */
export function connectionLogEntry(connection: NetworkConnection): AccessLogEntry {
  const { downstream } = connection;
  return {
    start_time: isoTime(connection.startedAtMs),
    method: null,
    path: null,
    protocol: null,
    response_code: 0,
    response_flags: connection.failure === null ? "-" : failures[connection.failure].flag,
    response_code_details: null,
    connection_termination_details: connection.terminationDetails,
    upstream_transport_failure_reason: connection.upstreamFailureReason,
    bytes_received: connection.bytesReceived,
    bytes_sent: connection.bytesSent,
    duration: Math.round(performance.now() - connection.startedAt),
    upstream_service_time: null,
    x_forwarded_for: null,
    user_agent: null,
    request_id: null,
    authority: null,
    upstream_host: orNull(connection.upstreamAddress),
    upstream_cluster: orNull(connection.cluster),
    upstream_local_address: orNull(connection.upstreamLocalAddress),
    downstream_local_address: joinAddress(downstream.localAddress, downstream.localPort),
    downstream_remote_address: joinAddress(downstream.remoteAddress, downstream.remotePort),
    requested_server_name: downstream.sni,
    route_name: null,
  };
}

/** Istio's default text format, one line with its end. */
export function formatText(entry: AccessLogEntry): string {
  return (
    `[${entry.start_time}] "${quoted(entry.method)} ${quoted(entry.path)} ${entry.protocol ?? "-"}" ` +
    `${entry.response_code} ${entry.response_flags} ${plain(entry.response_code_details)} ` +
    `${plain(entry.connection_termination_details)} "${quoted(entry.upstream_transport_failure_reason)}" ` +
    `${entry.bytes_received} ${entry.bytes_sent} ${entry.duration} ${entry.upstream_service_time ?? "-"} ` +
    `"${quoted(entry.x_forwarded_for)}" "${quoted(entry.user_agent)}" "${quoted(entry.request_id)}" ` +
    `"${quoted(entry.authority)}" "${quoted(entry.upstream_host)}" ${plain(entry.upstream_cluster)} ` +
    `${plain(entry.upstream_local_address)} ${entry.downstream_local_address} ${entry.downstream_remote_address} ` +
    `${plain(entry.requested_server_name)} ${plain(entry.route_name)}\n`
  );
}

// Clients write into these fields. A quote, a line end or an escape sequence in one must not become a field, a line or a
// terminal command of its own.
// Tested first: `replace` costs three times as much where there is nothing to replace.
const unsafeQuoted = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const unsafePlain = /[^\x21\x23-\x5b\x5d-\x7e]/;

function quoted(value: string | null): string {
  if (value === null) return "-";
  return unsafeQuoted.test(value) ? escaped(value, unsafeQuoted) : value;
}

function plain(value: string | null): string {
  if (value === null) return "-";
  return unsafePlain.test(value) ? escaped(value, unsafePlain) : value;
}

function escaped(value: string, unsafe: RegExp): string {
  return value.replace(new RegExp(unsafe, "g"), escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function orNull(text: string): string | null {
  return text === "" ? null : text;
}

function joinAddress(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
