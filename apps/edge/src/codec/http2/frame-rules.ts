// What can be told of a frame by its header alone (RFC 9113, 6): which stream it may be on, and how long it must be.
import { type ConnectionFault, errorCode, flag, frameType } from "./frame.ts";

/** Why the connection ends with this frame, or null. Streams' own errors (PRIORITY of a wrong length) are not judged here. */
export function judgeFrame(
  type: number,
  flags: number,
  { streamId, length }: { readonly streamId: number; readonly length: number },
): ConnectionFault | null {
  switch (type) {
    case frameType.headers:
      return streamId % 2 === 0 ? protocolFault("HEADERS on a stream that is no client's") : null;
    case frameType.priority:
      return streamId === 0 ? protocolFault("PRIORITY on the connection") : null;
    case frameType.rstStream:
      if (length !== 4) return sizeFault("RST_STREAM");
      return streamId === 0 ? protocolFault("RST_STREAM on the connection") : null;
    case frameType.settings:
      if (streamId !== 0) return protocolFault("SETTINGS on a stream");
      return length % 6 !== 0 || ((flags & flag.ack) !== 0 && length > 0) ? sizeFault("SETTINGS") : null;
    case frameType.pushPromise:
      return protocolFault("PUSH_PROMISE from a client");
    case frameType.ping:
      if (streamId !== 0) return protocolFault("PING on a stream");
      return length === 8 ? null : sizeFault("PING");
    case frameType.goAway:
      if (streamId !== 0) return protocolFault("GOAWAY on a stream");
      return length < 8 ? sizeFault("GOAWAY") : null;
    case frameType.windowUpdate:
      return length === 4 ? null : sizeFault("WINDOW_UPDATE");
    default:
      return null;
  }
}

function protocolFault(reason: string): ConnectionFault {
  return { code: errorCode.protocolError, reason };
}

function sizeFault(frame: string): ConnectionFault {
  return { code: errorCode.frameSizeError, reason: `${frame} of a wrong size` };
}
