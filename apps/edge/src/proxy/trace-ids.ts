// Identifiers of requests and traces: x-request-id, B3 and W3C trace context, as Envoy makes them.
import { randomFillSync } from "node:crypto";

// One call to the kernel's generator serves 512 span ids: asking it for eight bytes a request costs more than the proxying does.
const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

/** 16 hex digits, never all zero. */
function randomSpanId(): string {
  if (used + 8 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString("hex", used, used + 8);
  used += 8;
  return id === "0000000000000000" ? randomSpanId() : id;
}

/** The trace headers that go upstream, complete with line ends. */
export function traceHeaders(incoming: IncomingTrace): string {
  if (incoming.b3 !== null) return passOn("b3", incoming.b3) + traceParent(incoming, null, randomSpanId());
  const spanId = randomSpanId();
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
