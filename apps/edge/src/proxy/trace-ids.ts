// Identifiers of requests and traces: x-request-id, B3 and W3C trace context, as Envoy makes them.
import { RandomTexts } from "./random-texts.ts";

/** A span id is never all zero (W3C Trace Context, 3.2.2.4). */
const spanIds = new RandomTexts("*".repeat(16));

/** RFC 9562, 5.4, but for the variant's two random bits: the digit is always 8. */
const requestIds = new RandomTexts("********-****-4***-8***-************");

const repeatedId = "%".repeat(16);
/** Of a request that comes without a trace: its first span, whose id is the trace's as well. */
const newTraces = new RandomTexts(
  `x-b3-traceid: ${"*".repeat(16)}\r\nx-b3-spanid: ${repeatedId}\r\nx-b3-sampled: 1\r\n` +
    `traceparent: 00-${"0".repeat(16)}${repeatedId}-${repeatedId}-01\r\n`,
);

export function newRequestId(): string {
  return requestIds.next();
}

/** The trace headers that go upstream, complete with line ends. */
export function traceHeaders(incoming: IncomingTrace): string {
  if (isNew(incoming)) return newTraces.next();
  if (incoming.b3 !== null) return passOn("b3", incoming.b3) + traceParent(incoming, null, spanIds.next());
  const spanId = spanIds.next();
  const traceId = incoming.traceId ?? traceIdOfParent(incoming.traceParent) ?? spanId;
  const parent = incoming.spanId ?? spanIdOfParent(incoming.traceParent);
  const sampled = incoming.sampled ?? "1";
  return (
    `x-b3-traceid: ${traceId}\r\nx-b3-spanid: ${spanId}\r\n` +
    (parent === null ? "" : `x-b3-parentspanid: ${parent}\r\n`) +
    `x-b3-sampled: ${sampled}\r\n` +
    traceParent(incoming, traceId, spanId)
  );
}

/** What the client sent; null where it sent nothing. */
export interface IncomingTrace {
  traceId: string | null;
  spanId: string | null;
  sampled: string | null;
  /** Single-header B3. */
  b3: string | null;
  traceParent: string | null;
}

function isNew(incoming: IncomingTrace): boolean {
  const { b3, sampled, spanId, traceId } = incoming;
  return incoming.traceParent === null && traceId === null && spanId === null && sampled === null && b3 === null;
}

const traceParentLength = 55;
const isHex = /^[0-9a-f]+$/;

/** A traceparent of version 00 that can be continued (W3C Trace Context 3.2); anything else starts a new trace. */
function isTraceParent(value: string | null): value is string {
  return (
    value !== null &&
    value.length === traceParentLength &&
    value.startsWith("00-") &&
    value[35] === "-" &&
    value[52] === "-" &&
    isHex.test(value.slice(3, 35) + value.slice(36, 52) + value.slice(53))
  );
}

function traceIdOfParent(value: string | null): string | null {
  return isTraceParent(value) ? value.slice(3, 35) : null;
}

function spanIdOfParent(value: string | null): string | null {
  return isTraceParent(value) ? value.slice(36, 52) : null;
}

function traceParent(incoming: IncomingTrace, traceId: string | null, spanId: string): string {
  if (isTraceParent(incoming.traceParent)) {
    return `traceparent: ${incoming.traceParent.slice(0, 36)}${spanId}${incoming.traceParent.slice(52)}\r\n`;
  }
  if (traceId === null || !isHex.test(traceId)) return "";
  return `traceparent: 00-${traceId.padStart(32, "0")}-${spanId}-${incoming.sampled === "0" ? "00" : "01"}\r\n`;
}

function passOn(name: string, value: string): string {
  return `${name}: ${value}\r\n`;
}
