// Reading an upstream's answer: bytes to head and body, on a connection that has read others before.
import { type ResponseEvents, ResponseParser } from "@sluice/edge/hot-path";
import { body, linesOf, responseFields } from "./exchanges.ts";
import { assertIs, measure, type Measure, printMeasures } from "./measure.ts";

class Reader implements ResponseEvents {
  readonly parser = new ResponseParser(this);
  status = 0;
  fieldCount = 0;
  bodyBytes = 0;

  onInformational(): void {}

  onHead(status: number, headers: string[]): void {
    this.status = status;
    this.fieldCount = headers.length / 2;
  }

  onBody(chunk: Uint8Array): void {
    this.bodyBytes += chunk.length;
  }

  read(answer: Buffer): boolean {
    this.bodyBytes = 0;
    this.parser.begin(false);
    return this.parser.execute(answer, 0, answer.length) === answer.length && this.parser.isDone;
  }
}

const status = "HTTP/1.1 200 OK\r\n";
const fields = linesOf(responseFields);
/** Names that are in no table of common ones. */
const unusual = Array.from({ length: 20 }, (_, index) => `X-Unusual-Field-${index}: a value of some length\r\n`).join(
  "",
);
const sized = `Content-Length: ${body.length}\r\n\r\n${body.toString("latin1")}`;
const chunked = `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body.toString("latin1")}\r\n0\r\n\r\n`;

const answers = [
  { name: "5 fields, Content-Length", text: status + fields + sized, fieldCount: 5 },
  { name: "5 fields, chunked", text: status + fields + chunked, fieldCount: 5 },
  { name: "25 fields, 20 of them unusual", text: status + fields + unusual + sized, fieldCount: 25 },
];

export async function benchUpstreamResponses(): Promise<void> {
  const measures: Measure[] = [];
  for (const { fieldCount, name, text } of answers) {
    const bytes = Buffer.from(text, "latin1");
    const reader = new Reader();
    assertIs(reader.read(bytes), true, `${name}: complete`);
    assertIs(reader.status, 200, `${name}: status`);
    assertIs(reader.fieldCount, fieldCount, `${name}: fields`);
    assertIs(reader.bodyBytes, body.length, `${name}: body`);
    measures.push(await measure(name, () => reader.read(bytes)));
  }
  printMeasures("Reading an upstream's answer", measures);
}
