// Runs the response parser over given pieces and keeps what it reports.
import { type ResponseEvents, ResponseParser } from "../../src/upstream/response-parser.ts";

export class ParsedResponse implements ResponseEvents {
  informational: number[] = [];
  status = 0;
  headers: string[] = [];
  bodyLength = NaN;
  body = "";
  fault: string | null = null;
  isDone = false;
  canReuse = false;
  extraBytes = 0;

  onInformational(status: number): void {
    this.informational.push(status);
  }

  onHead(status: number, headers: string[], bodyLength: number): void {
    this.status = status;
    this.headers = headers;
    this.bodyLength = bodyLength;
  }

  onBody(chunk: Uint8Array): void {
    this.body += Buffer.from(chunk).toString("latin1");
  }
}

export interface ParseOptions {
  isHead?: boolean;
  maxHeadBytes?: number;
  /** Whether the upstream closes behind the last piece. */
  closes?: boolean;
}

/** Each piece is put into a larger buffer full of line ends, as the shared read buffer holds bytes of other connections. */
export function parseResponse(pieces: readonly string[], options: ParseOptions = {}): ParsedResponse {
  const response = new ParsedResponse();
  const parser = new ResponseParser(response, options.maxHeadBytes);
  parser.begin(options.isHead ?? false);
  for (const piece of pieces) {
    const bytes = Buffer.from(`${piece}\r\n\r\n0\r\n\r\n`, "latin1");
    const position = parser.execute(bytes, 0, piece.length);
    response.extraBytes += piece.length - position;
  }
  if (options.closes === true) parser.finish();
  response.fault = parser.fault;
  response.isDone = parser.isDone && parser.fault === null;
  response.canReuse = parser.canReuse;
  return response;
}
