// The way to one endpoint: what the balancer chooses, and which lane of connections a request takes.
import type { Downstream } from "../exchange/downstream.ts";
import type { FailureCode } from "../exchange/failure.ts";
import type { UpstreamHandler, UpstreamStream } from "../exchange/upstream-handler.ts";
import { encodeProxyHeader } from "../exchange/proxy-header.ts";
import type { Choosable } from "./balancing/endpoint-chooser.ts";
import type { ClusterCounters } from "./cluster-counters.ts";
import type { Target } from "./endpoint-targets.ts";
import { Http1Lane } from "./http1-lane.ts";
import { Http2Lane } from "./http2-lane.ts";
import type { IdleClock } from "./idle-clock.ts";
import { failOverflow, type Lane, type LaneOwner, type Transport } from "./lane.ts";
import type { HostMonitor } from "./outlier/host-monitor.ts";
import type { OutlierTarget } from "./outlier/outlier-detector.ts";
import { judgedStatus } from "./outlier/response-status.ts";
import { openRawConnection, type RawConnectEvents, type RawConnection } from "./raw-connection.ts";
import { RequestStream, type StreamOwner } from "./request-stream.ts";
import type { RetryAdmission } from "./retry-admission.ts";
import type { RequestOrigin, UpstreamRequest } from "./send-request.ts";
import { type AddressSource, FixedAddress, RotatingAddress } from "./socket-address.ts";

export interface PoolOptions {
  readonly target: Target;
  /** Monotonic milliseconds when the cluster got to know it. */
  readonly knownSinceMs: number;
  readonly transport: Transport;
  readonly counters: ClusterCounters;
  /** Hears of every request that ends. */
  readonly retries: Pick<RetryAdmission, "onRequestEnded">;
  readonly clock: IdleClock;
}

/** What a PROXY header tells of a client. */
type ClientAddresses = Pick<Downstream, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

/** On whose behalf raw bytes are sent. */
export interface RawOrigin {
  readonly client: ClientAddresses;
  /** The destination's host: the name that TLS asks for where the rule has none. */
  readonly host: string;
}

/** Lanes of one endpoint. Where the client names the server, a client that makes names up must not make us keep connections for all. */
const maxLanes = 1024;

export class EndpointPool implements LaneOwner, StreamOwner, Choosable, OutlierTarget {
  /** `127.0.0.1:8000`, `[::1]:8000`, `unix:///path`; of a LOGICAL_DNS host `name:port`. */
  readonly address: string;
  readonly knownSinceMs: number;
  /** Requests under way and waiting: what the balancer compares. */
  activeRequests: number;
  /** Relative share of requests; kept up to date by the cluster. */
  weight: number;
  priority: number;
  locality: string;
  /** Kept by outlier detection; no monitor where there is none. */
  isEjected: boolean;
  monitor: HostMonitor | null;
  private readonly options: PoolOptions;
  private readonly source: AddressSource;
  /** The only lane, where all requests can share connections: nearly always. */
  private readonly onlyLane: Lane | null;
  /** By what keeps requests apart, the lane used last at the end. */
  private readonly lanes: Map<string, Lane>;

  constructor(options: PoolOptions) {
    const { target, transport } = options;
    this.source = sourceOf(target);
    this.address = target.name;
    this.knownSinceMs = options.knownSinceMs;
    this.activeRequests = 0;
    this.weight = target.weight;
    this.priority = target.priority;
    this.locality = target.locality;
    this.isEjected = false;
    this.monitor = null;
    this.options = options;
    this.lanes = new Map();
    const isUniform =
      transport.protocol !== "downstream" &&
      transport.sendsProxyProtocol === null &&
      transport.tls?.isNamedByRequest !== true;
    this.onlyLane = isUniform ? this.createLane(transport.protocol === "http2", "", null) : null;
  }

  /** Takes on what a new version of the cluster, or of its host's addresses, says of it. */
  update({ addresses, locality, priority, weight }: Target): void {
    this.weight = weight;
    this.priority = priority;
    this.locality = locality;
    if (this.source instanceof RotatingAddress) this.source.replace(addresses);
  }

  /** See `sendRequest`. */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamStream {
    const { counters, transport } = this.options;
    const stream = new RequestStream(this, request, handler);
    this.activeRequests++;
    counters.activeRequests++;
    if (counters.activeRequests > transport.limits.maxRequests) process.nextTick(failOverflow, stream);
    else if (transport.tls !== null && transport.tls.problem !== null) process.nextTick(failTls, stream);
    else (this.onlyLane ?? this.laneFor(request.origin)).carry(stream);
    return stream;
  }

  /** A connection of its own for raw bytes; one that is open outlives the pool. */
  openRaw({ client, host: serviceHost }: RawOrigin, events: RawConnectEvents): RawConnection {
    const { counters, transport } = this.options;
    const { connectTimeoutMs, limits, tls } = transport;
    // Nobody names a server inside raw bytes. Without a name of the rule's it is the destination's: whoever holds any certificate of
    // the CA would be as good as the one meant otherwise.
    const secure = tls === null ? null : { origination: tls, serverName: tls.serverNameFor(serviceHost), alpn: null };
    const preamble = preambleOf(transport, client);
    const address = this.source.next();
    const target = { address, connectTimeoutMs, tcpKeepaliveMs: limits.tcpKeepaliveMs, preamble, tls: secure };
    return openRawConnection({ target, counters, endpoint: this }, events);
  }

  /** Ends the pool: idle connections close now, the others with their request. */
  retire(): void {
    this.onlyLane?.retire();
    for (const lane of this.lanes.values()) lane.retire();
  }

  onStreamDone(): void {
    this.activeRequests--;
    this.options.counters.activeRequests--;
    this.options.retries.onRequestEnded();
  }

  onStreamHead(status: number, headers: readonly string[]): void {
    this.monitor?.onResponse(judgedStatus(status, headers));
  }

  onStreamFailed(failure: FailureCode): void {
    if (endpointFailures.has(failure)) this.monitor?.onLocalError("failure");
  }

  onStreamTimeout(): void {
    this.monitor?.onLocalError("timeout");
  }

  cancel(stream: RequestStream): void {
    this.onlyLane?.cancel(stream);
    for (const lane of this.lanes.values()) lane.cancel(stream);
  }

  onLaneEmpty(lane: Lane): void {
    for (const [key, known] of this.lanes) {
      if (known !== lane) continue;
      this.lanes.delete(key);
      // Nobody finds it any more: what is still sent through it (a request a second time) closes behind itself.
      lane.retire();
      return;
    }
  }

  freeConnection(): void {
    for (const lane of this.lanes.values()) {
      if (lane.closeOldestIdle()) return;
    }
  }

  private laneFor(origin: RequestOrigin): Lane {
    const { protocol, sendsProxyProtocol, tls } = this.options.transport;
    // An upgrade takes HTTP/1.1, which every upstream can; extended CONNECT is left to clusters that only speak HTTP/2.
    const isHttp2 =
      protocol === "http2" || (protocol === "downstream" && origin.protocol === "HTTP/2" && origin.upgrade === null);
    const serverName = tls?.serverNameFor(origin.host) ?? "";
    const { remoteAddress, remotePort, localAddress, localPort } = origin.downstream;
    const client = sendsProxyProtocol === null ? "" : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
    const key = `${isHttp2 ? "h2" : "h1"} ${client} ${serverName}`;
    const known = this.lanes.get(key);
    this.lanes.delete(key);
    const lane = known ?? this.createLane(isHttp2, origin.host, origin.downstream);
    this.lanes.set(key, lane);
    if (this.lanes.size > maxLanes) this.retireOldestLane();
    return lane;
  }

  private retireOldestLane(): void {
    for (const [key, lane] of this.lanes) {
      this.lanes.delete(key);
      lane.retire();
      return;
    }
  }

  private createLane(isHttp2: boolean, requestHost: string, client: RequestOrigin["downstream"] | null): Lane {
    const { transport, counters, clock } = this.options;
    const { tls } = transport;
    const secure =
      tls === null
        ? null
        : {
            origination: tls,
            serverName: tls.serverNameFor(requestHost),
            alpn: isHttp2 ? ("h2" as const) : ("http/1.1" as const),
          };
    const preamble = client === null ? null : preambleOf(transport, client);
    const options = { owner: this, target: { source: this.source, preamble, tls: secure }, transport, counters, clock };
    return isHttp2 ? new Http2Lane(options) : new Http1Lane(options);
  }
}

/** The PROXY header that names this client; null where the cluster sends none. */
function preambleOf({ sendsProxyProtocol }: Transport, client: ClientAddresses): Uint8Array | null {
  if (sendsProxyProtocol === null) return null;
  const { remoteAddress, remotePort, localAddress, localPort } = client;
  const source = { address: remoteAddress, port: remotePort };
  return encodeProxyHeader(sendsProxyProtocol, source, { address: localAddress, port: localPort });
}

/** What an endpoint is to blame for; the others say something of the request, or of us. */
const endpointFailures: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "connect_failure",
  "connect_timeout",
  "upstream_tls_failure",
  "upstream_reset",
  "upstream_reset_midway",
  "upstream_protocol_error",
]);

function sourceOf({ name, addresses }: Target): AddressSource {
  const [address] = addresses;
  return address !== undefined && address.name === name
    ? new FixedAddress(address)
    : new RotatingAddress(name, addresses);
}

function failTls(stream: RequestStream): void {
  stream.refuse("upstream_tls_failure", "certificate or CA missing");
}
