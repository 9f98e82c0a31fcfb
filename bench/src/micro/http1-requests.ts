// Reading HTTP/1.1 requests with our own codec, on a connection that has read others before.
import { type Http1RequestHead, type RequestEvents, RequestParser } from "@sluice/edge/hot-path";
import { linesOf, requestFields } from "./exchanges.ts";
import { assertIs, measure, type Measure, printMeasures } from "./measure.ts";

const limits = { maxHeadBytes: 65_536, maxHeaderCount: 100, allowsHttp10: false };

class Reader implements RequestEvents {
  readonly parser = new RequestParser(this, limits);
  head: Http1RequestHead | null = null;
  bodyBytes = 0;
  fault = "";

  onHead(head: Http1RequestHead): void {
    this.head = head;
  }

  onBody(chunk: Uint8Array): void {
    this.bodyBytes += chunk.length;
  }

  onEnd(): void {}

  onFault(failure: string): void {
    this.fault = failure;
  }

  read(request: Buffer): boolean {
    this.bodyBytes = 0;
    const isWhole = this.parser.execute(request, 0) === request.length && this.parser.isBetweenRequests;
    this.parser.next();
    return isWhole;
  }
}

const start = (method: string): string => `${method} /api/items/17?page=2 HTTP/1.1\r\nHost: app.example\r\n`;
const fields = linesOf(requestFields);
const kilobyte = "x".repeat(1024);

const requests = [
  { name: "GET, host alone", text: `${start("GET")}\r\n`, bodyBytes: 0, fieldCount: 0 },
  { name: "GET, 7 fields of a browser", text: `${start("GET")}${fields}\r\n`, bodyBytes: 0, fieldCount: 7 },
  {
    name: "POST, 8 fields, 1 KiB",
    text: `${start("POST")}${fields}Content-Length: 1024\r\n\r\n${kilobyte}`,
    bodyBytes: 1024,
    fieldCount: 8,
  },
  {
    name: "POST, 8 fields, 1 KiB in one chunk",
    text: `${start("POST")}${fields}Transfer-Encoding: chunked\r\n\r\n400\r\n${kilobyte}\r\n0\r\n\r\n`,
    bodyBytes: 1024,
    fieldCount: 8,
  },
];

export async function benchHttp1Requests(): Promise<void> {
  const measures: Measure[] = [];
  for (const { bodyBytes, fieldCount, name, text } of requests) {
    const bytes = Buffer.from(text, "latin1");
    const reader = new Reader();
    assertIs(reader.read(bytes), true, `${name}: complete (${reader.fault})`);
    assertIs(reader.head?.target, "/api/items/17?page=2", `${name}: target`);
    assertIs((reader.head?.headers.length ?? 0) / 2, fieldCount, `${name}: fields`);
    assertIs(reader.bodyBytes, bodyBytes, `${name}: body`);
    measures.push(await measure(name, () => reader.read(bytes)));
  }
  printMeasures("Reading an HTTP/1.1 request", measures);
}
