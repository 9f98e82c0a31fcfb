// The one error of the wire: bytes or messages that are refused, with the reason.

export type WireErrorReason =
  /** A frame, name list or resource beyond its limit. */
  | "too-large"
  /** Not the MessagePack that this protocol allows: truncated, trailing bytes, extension types, too deep. */
  | "malformed"
  /** Well-formed, but a field is missing or of the wrong type. */
  | "wrong-shape"
  | "unknown-message"
  | "protocol-version"
  /** Bytes that are not those their digest names, or a version that is not its manifest's. */
  | "digest-mismatch"
  | "missing-resource"
  | "duplicate-name"
  /** A route config and the manifest disagree about a virtual host. */
  | "dangling-reference";

export class WireError extends Error {
  override readonly name = "WireError";
  readonly reason: WireErrorReason;

  constructor(reason: WireErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
