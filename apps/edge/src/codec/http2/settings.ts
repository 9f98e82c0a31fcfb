// SETTINGS (RFC 9113, 6.5): what the peer wants, checked; and what we say of ourselves.
import { type ConnectionFault, defaultMaxFrameBytes, defaultWindow, errorCode, largestWindow } from "./frame.ts";
import type { SessionLimits } from "./session-events.ts";

export const settingId = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  /** RFC 8441. */
  enableConnectProtocol: 8,
  /** RFC 9218. */
  noRfc7540Priorities: 9,
} as const;

/** What we say of ourselves. */
export function ourSettings(limits: SessionLimits): readonly (readonly [id: number, value: number])[] {
  return [
    [settingId.maxConcurrentStreams, limits.maxConcurrentStreams],
    [settingId.initialWindowSize, limits.streamBufferBytes],
    [settingId.maxHeaderListSize, limits.maxHeadBytes],
    [settingId.enableConnectProtocol, 1],
  ];
}

/** The peer's, as far as they concern us: we never push. */
export interface PeerSettings {
  headerTableBytes: number;
  initialWindow: number;
  maxFrameBytes: number;
}

export function initialPeerSettings(): PeerSettings {
  return { headerTableBytes: 4096, initialWindow: defaultWindow, maxFrameBytes: defaultMaxFrameBytes };
}

const largestFrame = 16_777_215;

/** Takes on what a SETTINGS frame says, value after value; why it breaks the connection, or null. */
export function applySettings(payload: Buffer, settings: PeerSettings): ConnectionFault | null {
  for (let at = 0; at < payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case settingId.headerTableSize:
        settings.headerTableBytes = value;
        break;
      case settingId.enablePush:
      case settingId.enableConnectProtocol:
      case settingId.noRfc7540Priorities:
        if (value > 1) return { code: errorCode.protocolError, reason: "a switch is neither 0 nor 1" };
        break;
      case settingId.initialWindowSize:
        if (value > largestWindow)
          return { code: errorCode.flowControlError, reason: "INITIAL_WINDOW_SIZE is too large" };
        settings.initialWindow = value;
        break;
      case settingId.maxFrameSize:
        if (value < defaultMaxFrameBytes || value > largestFrame) {
          return { code: errorCode.protocolError, reason: "MAX_FRAME_SIZE is out of range" };
        }
        settings.maxFrameBytes = value;
        break;
      default:
      // Unknown ones are ignored; the others limit what we never do.
    }
  }
  return null;
}
