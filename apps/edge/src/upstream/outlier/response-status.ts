// The status that outlier detection judges a response by. An upstream that fails over gRPC answers 200 and says so in `grpc-status`,
// which is in the head when nothing else follows (Trailers-Only).
import { isGrpcType } from "../../exchange/grpc.ts";

/** Envoy's `grpcToHttpStatus`, by gRPC status. */
const httpStatuses = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** @param headers flat, names in lower case */
export function judgedStatus(status: number, headers: readonly string[]): number {
  if (status !== 200) return status;
  let isGrpc = false;
  let grpcStatus = "";
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name === "content-type") isGrpc = isGrpcType(headers[i + 1]);
    else if (name === "grpc-status") grpcStatus = headers[i + 1] ?? "";
  }
  return isGrpc && grpcStatus !== "" ? (httpStatuses[Number(grpcStatus)] ?? 500) : status;
}
