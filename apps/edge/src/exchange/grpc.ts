// What of gRPC concerns a gateway that forwards it: how its requests are known, how failures and deadlines are written. Messages pass
// as body bytes and their outcome as trailers, like those of any other request.

/** gRPC's status codes, as far as Sluice makes them itself. */
export const grpcStatus = {
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const grpcType = "application/grpc";

/** True for `application/grpc` and `application/grpc+proto`, not for `application/grpc-web`, which answers in HTTP statuses. */
export function isGrpcType(contentType: unknown): boolean {
  if (typeof contentType !== "string" || !contentType.startsWith(grpcType)) return false;
  const next = contentType.charAt(grpcType.length);
  return next === "" || next === "+" || next === ";";
}

/** Envoy's and gRPC's own mapping (doc/http-grpc-status-mapping.md). */
export function grpcStatusOf(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return grpcStatus.internal;
    case 401:
      return grpcStatus.unauthenticated;
    case 403:
      return grpcStatus.permissionDenied;
    case 404:
      return grpcStatus.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return grpcStatus.unavailable;
    default:
      return grpcStatus.unknown;
  }
}

/** `grpc-message`: what is not printable ASCII is percent-encoded, and the percent sign (gRPC over HTTP/2, "Responses"). */
export function encodeGrpcMessage(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

/** The HTTP status that says what a gRPC status says, as Envoy maps them. */
export function httpStatusOf(status: number): number {
  return httpStatuses[status] ?? 500;
}

/** By gRPC status: OK, CANCELLED, UNKNOWN, ... */
const httpStatuses = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401] as const;

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds that `grpc-timeout` grants (`100m`, `5S`: at most eight digits and a unit), rounded up; null when it is malformed. */
export function parseGrpcTimeout(text: string): number | null {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  if (match === null) return null;
  return Math.ceil(Number(match[1]) * (unitMs[match[2] ?? ""] ?? 0));
}
