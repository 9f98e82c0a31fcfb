// HTTP/2 with our own codec: header blocks alone, and a session from the bytes of a request to the bytes of its answer.
import {
  HpackDecoder,
  HpackEncoder,
  Http2Session,
  type SessionEvents,
  type SessionLimits,
  type Stream,
} from "@sluice/edge/hot-path";
import { body, requestFields, responseFields } from "./exchanges.ts";
import { assertIs, measure, printMeasures } from "./measure.ts";

const request: readonly string[] = [
  ":method",
  "GET",
  ":scheme",
  "http",
  ":authority",
  "app.example",
  ":path",
  "/api/items/17?page=2",
  ...requestFields,
];
const response: readonly string[] = [...responseFields, "x-envoy-upstream-service-time", "1"];
const decoderLimits = { maxTableBytes: 4096, maxListBytes: 65_536 };

/** The request's block as the first of its connection, and as any later one. */
function requestBlocks(): readonly [first: Buffer, later: Buffer] {
  const encoder = new HpackEncoder();
  return [Buffer.from(encoder.encode(0, request)), Buffer.from(encoder.encode(0, request))];
}

const frameType = { headers: 1, settings: 4, windowUpdate: 8 } as const;
const endStream = 1;
const endHeaders = 4;

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, 9);
  return bytes;
}

const limits: SessionLimits = {
  maxConcurrentStreams: 100,
  maxHeadBytes: 65_536,
  maxResetStreamsPerMinute: 500,
  maxControlFramesPerMinute: 1000,
  streamBufferBytes: 65_536,
  connectionBufferBytes: 1_048_576,
};

/** Answers every request at once. */
class Server implements SessionEvents<null> {
  readonly session = new Http2Session<null>(this, limits, () => performance.now());
  answered = 0;
  fieldCount = 0;
  fault = "";

  onRequest(stream: Stream<null>, fields: readonly string[]): void {
    this.answered++;
    this.fieldCount = fields.length / 2;
    this.session.sendHead(stream, { status: 200, fields: response, isLast: false });
    this.session.write(stream, body);
    this.session.end(stream, []);
  }

  onHeadTooLarge(): void {}
  onData(): void {}
  onEnd(): void {}
  onReset(): void {}
  onWritable(): void {}
  onFull(): void {}
  onDrained(): void {}

  onFault({ reason }: { readonly reason: string }): void {
    this.fault = reason;
  }
}

/** The window of the connection as wide as it may be: nothing is given back while it is measured. */
function widestWindow(): Buffer {
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(0x7fffffff - 65_535);
  return frame(frameType.windowUpdate, 0, 0, increment);
}

/** A request and its answer, each time on the next stream. */
function exchangeOn(server: Server, [first, later]: readonly [Buffer, Buffer]): () => number {
  const { session } = server;
  session.receive(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"));
  session.receive(frame(frameType.settings, 0, 0, new Uint8Array()));
  session.receive(widestWindow());
  session.receive(frame(frameType.headers, endStream | endHeaders, 1, first));
  session.takeOutput();
  const head = frame(frameType.headers, endStream | endHeaders, 1, later);
  let streamId = 1;
  return () => {
    streamId += 2;
    head.writeUInt32BE(streamId, 5);
    session.receive(head);
    return session.takeOutput()?.length ?? 0;
  };
}

export async function benchHttp2Sessions(): Promise<void> {
  const blocks = requestBlocks();
  const [first, later] = blocks;
  const decodeFirst = (): readonly string[] | string => new HpackDecoder(decoderLimits).decode(first);
  const decoder = new HpackDecoder(decoderLimits);
  decoder.decode(first);
  const decodeLater = (): readonly string[] | string => decoder.decode(later);
  const encoder = new HpackEncoder();
  const encode = (): Buffer => encoder.encode(200, response);
  encode();
  assertIs(String(decodeFirst()), String(request), "the first request");
  assertIs(String(decodeLater()), String(request), "a later request");
  const answer = new HpackDecoder(decoderLimits);
  answer.decode(new HpackEncoder().encode(200, response));
  assertIs(String(answer.decode(encode())), String([":status", "200", ...response]), "a response");

  const server = new Server();
  const exchange = exchangeOn(server, blocks);
  assertIs(exchange() > body.length + 18, true, "the answer's bytes: two frames");
  assertIs(server.answered, 2, "answered requests");
  assertIs(server.fieldCount, request.length / 2, "fields of the last request");
  const measures = [
    await measure("HPACK: first request of a connection, decoded", decodeFirst),
    await measure("HPACK: later request, decoded", decodeLater),
    await measure("HPACK: response, encoded", encode),
    await measure("session: request read, answer written", exchange),
  ];
  assertIs(server.fault, "", "the session's fault");
  printMeasures("HTTP/2", measures);
}
