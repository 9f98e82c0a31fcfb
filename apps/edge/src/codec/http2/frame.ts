// Words of the HTTP/2 framing layer (RFC 9113, 4 to 7).

export const frameHeaderBytes = 9;
/** What both sides may send before they say otherwise, and all that we ever accept. */
export const defaultMaxFrameBytes = 16_384;
export const largestWindow = 2_147_483_647;
export const defaultWindow = 65_535;

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const errorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
} as const;

export const noPayload = new Uint8Array(0);

export type ErrorCode = (typeof errorCode)[keyof typeof errorCode];

/** Why a connection ends: a code for the peer, a word for logs and tests. */
export interface ConnectionFault {
  readonly code: ErrorCode;
  readonly reason: string;
}
