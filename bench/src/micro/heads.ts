// Heads as text, to the byte that leaves: the request's to the upstream, the response's to the client on both engines.
import type { Socket } from "node:net";
import {
  AnswerWriter,
  buildUpstreamHead,
  completeResponseHeaders,
  formatHead,
  type Http1RequestHead,
  OwnHttp1Exchange,
  type OwnHttp1ExchangeSource,
  toWire,
} from "@sluice/edge/hot-path";
import { body, downstream, ignoringHandler, LoneExchange, requestHead, responseFields } from "./exchanges.ts";
import { assertIs, measure, printMeasures } from "./measure.ts";

/** A string is put together for good only when somebody takes its characters. */
const wire = Buffer.alloc(16_384);
const send = (text: string | Buffer): number =>
  typeof text === "string" ? wire.write(text, 0, "latin1") : text.copy(wire);

/** The socket of a connection, as far as an exchange writes to it. */
class LastWrite {
  readonly writable = true;
  readonly writableNeedDrain = false;
  bytes = 0;

  write(data: string | Uint8Array): boolean {
    this.bytes = typeof data === "string" ? send(data) : data.length;
    return true;
  }
}

const routeLines =
  "x-envoy-decorator-operation: backend.default.svc.cluster.local:8000/api*\r\nx-envoy-attempt-count: 1\r\n";

export async function benchHeads(): Promise<void> {
  const exchange = new LoneExchange();
  const upstream = (): number => send(buildUpstreamHead(exchange, routeLines));
  const headers = (): string[] => {
    const fields = [...responseFields];
    completeResponseHeaders(exchange, fields);
    return fields;
  };
  const uws = (): number => {
    const { text, isAscii } = formatHead(200, headers());
    return send(isAscii ? text : toWire(text));
  };
  const socket = new LastWrite();
  const answers = new AnswerWriter(socket as unknown as Socket);
  const own = (): number => {
    answerOnOwn(answers, headers());
    return socket.bytes;
  };
  assertText(upstream(), /^GET \/api\/items\/17\?page=2 HTTP\/1\.1\r\nhost: app\.example\r\n.*\r\n\r\n$/s);
  assertIs(exchange.requestId.length, 36, "the length of a request id");
  assertIs(headers().length / 2, 6, "fields of the response: one replaced, one added");
  assertText(uws(), /^200 OK\r\ncontent-type: .*\r\nserver: sluice$/s);
  assertIs(own() > body.length + 100, true, "the whole answer leaves in one write");
  printMeasures("Heads", [
    await measure("request to the upstream", upstream),
    await measure("response's fields, from the upstream's", headers),
    await measure("response on listen/uws: fields and text", uws),
    await measure("response on listen/node, own HTTP/1.1: exchange, fields, text, body", own),
  ]);
}

function assertText(length: number, expected: RegExp): void {
  const text = wire.toString("latin1", 0, length);
  assertIs(expected.test(text), true, JSON.stringify(text));
}

const ownHead: Http1RequestHead = { ...requestHead, closesConnection: false, awaitsContinue: false };

/** Everything an exchange of our own codec does for an answer; a new one each time, for none answers twice. */
function answerOnOwn(answers: AnswerWriter, headers: readonly string[]): void {
  // Of its connection an exchange that is answered at once uses these two.
  const connection = { answers, responseEnded: doNothing } as unknown as OwnHttp1ExchangeSource["connection"];
  const exchange = new OwnHttp1Exchange({ connection, handler: ignoringHandler, downstream, head: ownHead });
  exchange.sendHead(200, headers, body.length);
  exchange.sendData(body);
  exchange.sendEnd();
  answers.sendHeld();
}

function doNothing(): void {}
