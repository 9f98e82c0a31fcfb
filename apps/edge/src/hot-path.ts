// What benchmarks measure one by one: the pieces that every request, and every new table, passes through.
export { HpackDecoder } from "./codec/http2/hpack/decoder.ts";
export { HpackEncoder } from "./codec/http2/hpack/encoder.ts";
export { Http2Session } from "./codec/http2/session.ts";
export type { SessionEvents, SessionLimits } from "./codec/http2/session-events.ts";
export type { Stream } from "./codec/http2/stream.ts";
export type { Http1RequestHead } from "./codec/http1/request-head.ts";
export { type RequestEvents, RequestParser } from "./codec/http1/request-parser.ts";
export type { Downstream } from "./exchange/downstream.ts";
export { Exchange, type ExchangeHandler, type RequestHead } from "./exchange/exchange.ts";
export { OwnHttp1Exchange, type OwnHttp1ExchangeSource } from "./listen/node/own/http1-exchange.ts";
export { toWire } from "./listen/uws/field-text.ts";
export { formatHead } from "./listen/uws/response-head.ts";
export { accessLogEntry, formatText } from "./observe/access-log-entry.ts";
export { RouteMetrics } from "./observe/route-metrics.ts";
export { buildUpstreamHead } from "./proxy/request-head.ts";
export { completeResponseHeaders } from "./proxy/response-head.ts";
export { buildRuntimeTable, type RuntimeTable } from "./proxy/runtime-table.ts";
export { type ResponseEvents, ResponseParser } from "./upstream/response-parser.ts";
