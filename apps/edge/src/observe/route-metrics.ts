// Istio's request metrics, a counter a route: the hot path finds its cell by an integer, labels are only made when scraped.
import { performance } from "node:perf_hooks";
import type { Exchange, ExchangeRecorder } from "../exchange/exchange.ts";
import { type FailureCode, failures } from "../exchange/failure.ts";
import { flagsBound, flagText } from "../exchange/flags.ts";
import { isGrpcType } from "../exchange/grpc.ts";
import { Histogram } from "./histogram.ts";
import { type MetricJson, metricJson, type MetricValue } from "./metric-json.ts";

const failureCodes = Object.keys(failures) as FailureCode[];
const failureIndex = new Map<FailureCode | null, number>(failureCodes.map((code, index) => [code, index + 1]));
/** A cell's key is `(status * keyBase + index of the failure) * flagsBound + flags`, negative for gRPC. */
const keyBase = 64;

class Cell {
  requests = 0;
  readonly duration = new Histogram();
  readonly requestBytes = new Histogram();
  readonly responseBytes = new Histogram();
}

class RouteRecorder implements ExchangeRecorder {
  readonly labels: Readonly<Record<string, string>>;
  readonly cells = new Map<number, Cell>();

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels;
  }

  record(exchange: Exchange): void {
    const outcome = exchange.status * keyBase + (failureIndex.get(exchange.failure) ?? 0);
    const cellKey = outcome * flagsBound + exchange.flags;
    // gRPC is always HTTP/2: the others are not made to look for their content type.
    const isGrpc = exchange.protocol === "HTTP/2" && isGrpcType(exchange.header("content-type"));
    const key = isGrpc ? -cellKey : cellKey;
    let cell = this.cells.get(key);
    if (cell === undefined) {
      cell = new Cell();
      this.cells.set(key, cell);
    }
    cell.requests++;
    cell.duration.observe(performance.now() - exchange.startedAt);
    cell.requestBytes.observe(exchange.bytesReceived);
    cell.responseBytes.observe(exchange.bytesSent);
  }
}

/** All routes that ever had a request. Bounded by configuration: clients cannot make a label. */
export class RouteMetrics {
  readonly #recorders = new Map<string, RouteRecorder>();

  recorderOf(virtualHost: string, routeName: string, destination: string): ExchangeRecorder {
    const key = `${virtualHost}\n${routeName}\n${destination}`;
    let recorder = this.#recorders.get(key);
    if (recorder === undefined) {
      recorder = new RouteRecorder({
        reporter: "source",
        destination_service: destination === "" ? "unknown" : destination,
        virtual_host: virtualHost,
        route: routeName,
      });
      this.#recorders.set(key, recorder);
    }
    return recorder;
  }

  collect(): MetricJson[] {
    const requests: MetricValue[] = [];
    const durations: MetricValue[] = [];
    const requestBytes: MetricValue[] = [];
    const responseBytes: MetricValue[] = [];
    for (const recorder of this.#recorders.values()) {
      for (const [key, cell] of recorder.cells) {
        const labels = { ...recorder.labels, ...labelsOfKey(key) };
        requests.push({ value: cell.requests, labels });
        durations.push(...cell.duration.values("istio_request_duration_milliseconds", labels));
        requestBytes.push(...cell.requestBytes.values("istio_request_bytes", labels));
        responseBytes.push(...cell.responseBytes.values("istio_response_bytes", labels));
      }
    }
    return [
      metricJson("istio_requests_total", requests),
      metricJson("istio_request_duration_milliseconds", durations),
      metricJson("istio_request_bytes", requestBytes),
      metricJson("istio_response_bytes", responseBytes),
    ];
  }
}

function labelsOfKey(signedKey: number): { request_protocol: string; response_code: string; response_flags: string } {
  const key = Math.abs(signedKey);
  const outcome = Math.floor(key / flagsBound);
  const failure = failureCodes[(outcome % keyBase) - 1];
  return {
    request_protocol: signedKey < 0 ? "grpc" : "http",
    response_code: String(Math.floor(outcome / keyBase)),
    response_flags: flagText(failure === undefined ? "-" : failures[failure].flag, key % flagsBound),
  };
}
