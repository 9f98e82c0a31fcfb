// What can go wrong with etcd, sorted by what to do about it.

/** Of gRPC, as far as etcd answers with them. */
export const grpcCodes = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A member answered with an error. */
export class EtcdError extends Error {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }

  /** What was asked for has been compacted away. */
  get isCompacted(): boolean {
    return this.code === grpcCodes.outOfRange && this.message.includes("compacted");
  }

  /** Another member, or the same one a moment later, may well answer: there is no leader, the member is behind, or it is overloaded. */
  get isPassing(): boolean {
    if (this.code === grpcCodes.resourceExhausted) return this.message.includes("too many requests");
    return this.code === grpcCodes.unavailable || this.code === grpcCodes.deadlineExceeded;
  }

  /** The token has run out, or the member was started anew and knows none. */
  get wantsNewToken(): boolean {
    return (
      this.code === grpcCodes.unauthenticated ||
      (this.code === grpcCodes.invalidArgument && /user name is empty|revision in header is old/.test(this.message))
    );
  }
}

/** No member answered in time. Whether the last ones asked did what they were asked, nobody knows. */
export class EtcdUnreachable extends Error {}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A name with several addresses fails with an error without a message.
  return error.message === "" ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}
