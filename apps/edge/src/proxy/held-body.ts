// Copies of the pieces of a request's body, for a time when they can be sent (again).
import { noTrailers } from "../exchange/exchange.ts";

/** Bytes held by all requests of a worker; a client with a thousand streams must not make a thousand copies. */
export interface HeldBytes {
  total: number;
  readonly maxTotal: number;
}

export class HeldBody {
  readonly chunks: Buffer[] = [];
  bytes = 0;
  isComplete = false;
  trailers: readonly string[] = noTrailers;

  add(chunk: Uint8Array): void {
    this.chunks.push(Buffer.from(chunk));
    this.bytes += chunk.length;
  }

  complete(trailers: readonly string[]): void {
    this.isComplete = true;
    this.trailers = trailers;
  }
}
