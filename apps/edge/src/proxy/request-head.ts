// The head that goes upstream: the client's headers without those that concern one hop or that only a gateway may set, then
// the gateway's own. Built as one string because it leaves in one write.
import type { Exchange } from "../exchange/exchange.ts";
import { newWebSocketKey } from "../upstream/web-socket-key.ts";
import { clientLinesOf, externalLine } from "./addresses.ts";
import { clientCertificateHeader } from "./client-certificate-header.ts";
import { type IncomingTrace, newRequestId, traceHeaders } from "./trace-ids.ts";

// Never passed on. Hop by hop (RFC 9110 7.6.1), answered by the engines (`expect`), framing (made anew from what was really read), or
// an assertion about the client that only the gateway can make: a client that could send x-forwarded-client-cert could be anyone.
const dropped = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "expect",
  "trailer",
  "upgrade",
  "http2-settings",
  "content-length",
  "host",
  "x-forwarded-proto",
  "x-forwarded-client-cert",
]);

// Taken out of the client's headers and written again below. Set for the time of one synchronous call; see buildUpstreamHead.
const trace: IncomingTrace = { traceId: null, spanId: null, sampled: null, b3: null, traceParent: null };
let forwardedFor = "";
let requestId = "";
let takesTrailers = false;
let isKeyOurs = false;

/**
 * The complete request head as HTTP/1.1, empty line included. Sets `exchange.requestId`. The order is the client's, then the
 * gateway's. An upgrade is asked for as HTTP/1.1 does, whatever the client spoke (RFC 8441, 5).
 *
 * @param routeLines what the route adds, each line with its end
 */
export function buildUpstreamHead(exchange: Exchange, routeLines: string): string {
  const { downstream, headers } = exchange;
  const target = exchange.query === "" ? exchange.path : `${exchange.path}?${exchange.query}`;
  const method = exchange.upgrade === null ? exchange.method : "GET";
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${exchange.authority}\r\n`;
  resetCaptured();
  isKeyOurs = makesKey(exchange);
  const nominated = connectionNominated(exchange);
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const value = headers[i + 1] ?? "";
    if (isTakenOut(name, value) || (nominated !== null && nominated.includes(name))) continue;
    head += `${name}: ${value}\r\n`;
  }
  if (exchange.upgrade !== null) head += upgradeFields(exchange, exchange.upgrade);
  else if (exchange.bodyLength > 0 || (exchange.bodyLength === 0 && announcesEmptyBody(exchange))) {
    head += `content-length: ${exchange.bodyLength}\r\n`;
  } else if (exchange.bodyLength < 0) head += "transfer-encoding: chunked\r\n";
  // gRPC servers insist on it. Other codings of TE are this hop's affair.
  if (takesTrailers) head += "te: trailers\r\n";

  // Envoy's rule: a request is internal when its peer is and no proxy before us named another client. It keeps the request id of an
  // internal request and makes a new one for all others, who could forge what is logged.
  const address = downstream.remoteAddress;
  if (forwardedFor === "") {
    const lines = clientLinesOf(address);
    exchange.requestId = lines.isInternal && requestId !== "" ? requestId : newRequestId();
    head += exchange.scheme === "https" ? lines.https : lines.http;
  } else {
    exchange.requestId = newRequestId();
    head += `x-forwarded-for: ${forwardedFor},${address}\r\nx-forwarded-proto: ${exchange.scheme}\r\n${externalLine(address)}`;
  }
  head += `x-request-id: ${exchange.requestId}\r\n${routeLines}${traceHeaders(trace)}`;
  if (downstream.peerCertificate !== null) {
    head += `x-forwarded-client-cert: ${clientCertificateHeader(downstream.peerCertificate)}\r\n`;
  }
  return `${head}\r\n`;
}

function resetCaptured(): void {
  trace.traceId = trace.spanId = trace.sampled = trace.b3 = trace.traceParent = null;
  forwardedFor = "";
  requestId = "";
  takesTrailers = false;
}

/** True when the header is not passed on as it is. Most names leave at the first letter. */
function isTakenOut(name: string, value: string): boolean {
  switch (name.charCodeAt(0)) {
    case 120: // x
      return isTakenOutX(name, value);
    case 99: // c
    case 101: // e
    case 104: // h
    case 107: // k
    case 112: // p
    case 117: // u
      return dropped.has(name);
    case 116: // t
      if (name === "traceparent") {
        trace.traceParent = value;
        return true;
      }
      if (name === "te") takesTrailers ||= value === "trailers" || namesTrailers(value);
      return dropped.has(name);
    case 115: // s
      // On HTTP/2 there is no key; one that is sent all the same would be taken for the one made here.
      return isKeyOurs && name === "sec-websocket-key";
    case 98: // b
      if (name !== "b3") return false;
      trace.b3 = value;
      return true;
    default:
      return false;
  }
}

function isTakenOutX(name: string, value: string): boolean {
  // Envoy's own headers steer its router (retries, timeouts); from outside they are refused.
  if (name.startsWith("x-envoy-")) return true;
  if (name.includes("_")) return readsAsGatewayHeader(name);
  switch (name) {
    case "x-forwarded-for":
      forwardedFor = forwardedFor === "" ? value : `${forwardedFor},${value}`;
      return true;
    case "x-request-id":
      requestId = value;
      return true;
    case "x-b3-traceid":
      trace.traceId = value;
      return true;
    case "x-b3-spanid":
      trace.spanId = value;
      return true;
    case "x-b3-sampled":
      trace.sampled = value;
      return true;
    case "x-b3-parentspanid":
      return true;
    default:
      return dropped.has(name);
  }
}

/**
 * To a backend that turns names into variables (CGI, WSGI, Rack) `x_forwarded_client_cert` is `x-forwarded-client-cert`. A client may
 * send its own headers with underscores, not ours.
 */
function readsAsGatewayHeader(name: string): boolean {
  const spelt = name.replaceAll("_", "-");
  return spelt.startsWith("x-forwarded-") || spelt.startsWith("x-envoy-") || spelt === "x-request-id";
}

/** Names the client's Connection header makes hop by hop; null when there are none (nearly always). */
function connectionNominated(exchange: Exchange): string[] | null {
  const value = exchange.header("connection");
  if (value === null || value === "keep-alive" || value === "close") return null;
  return value
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
}

/** `content-length: 0` is passed on where the client sent it: some backends insist on it for POST. */
function announcesEmptyBody(exchange: Exchange): boolean {
  return exchange.method !== "GET" && exchange.method !== "HEAD" && exchange.header("content-length") !== null;
}

/** `deflate;q=0.5, trailers` */
function namesTrailers(te: string): boolean {
  return te.split(",").some((coding) => coding.trim().toLowerCase() === "trailers");
}

/** The handshake of WebSocket over HTTP/1.1 needs a key, which a client on HTTP/2 has not. */
function makesKey({ protocol, upgrade }: Exchange): boolean {
  return protocol === "HTTP/2" && upgrade === "websocket";
}

function upgradeFields(exchange: Exchange, upgrade: string): string {
  const fields = `connection: upgrade\r\nupgrade: ${upgrade}\r\n`;
  return makesKey(exchange) ? `${fields}sec-websocket-key: ${newWebSocketKey()}\r\n` : fields;
}
