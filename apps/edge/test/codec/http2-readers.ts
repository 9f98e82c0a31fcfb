// Reads a client's frames as the requests they hold and answers each: with our session, and with node:http2.
import { createServer, type ServerHttp2Stream, type ServerStreamResponseOptions } from "node:http2";
import { duplexPair } from "node:stream";
import { type Frame, framesOf, ping, preface, settings } from "@sluice/http2-frames";
import { HpackDecoder } from "../../src/codec/http2/hpack/decoder.ts";
import { SessionDriver, type TestStream } from "./session-driver.ts";

export interface SeenStream {
  readonly stream: number;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

export interface Answer {
  readonly fields: readonly string[];
  readonly body: string;
  readonly hasEnded: boolean;
}

export interface SessionReading {
  /** Complete requests. */
  readonly requests: readonly SeenStream[];
  /** By stream. */
  readonly answers: ReadonlyMap<number, Answer>;
  readonly resets: ReadonlyMap<number, number>;
  /** Error code of GOAWAY; null without. */
  readonly goAway: number | null;
}

const opening = Buffer.concat([preface, settings()]);
/** Its answer tells that everything before it has been read. */
const closing = ping("the-end!");
const body = "hello";

export function readSessionWithOurs(frames: readonly Buffer[]): SessionReading {
  const complete: TestStream[] = [];
  const driver = new SessionDriver((stream) => complete.push(stream));
  driver.receive(opening, ...frames, closing);
  for (const stream of complete) driver.respond(stream, body);
  const requests = complete.map(({ owner, id }) => ({
    stream: id,
    fields: owner?.fields ?? [],
    body: owner?.body ?? "",
    trailers: withoutHost(owner?.trailers ?? []),
  }));
  return { requests, ...readAnswers(driver.frames) };
}

/** Nobody is told of one among trailers (exchange/trailers.ts). nghttp2 already leaves it out where it is no host. */
function withoutHost(trailers: readonly string[]): string[] {
  return trailers.filter((_text, i) => trailers[i - (i % 2)] !== "host");
}

export interface NodeReading {
  readonly reading: SessionReading;
  /** Streams that have ended in a reset, whether it is on the wire yet or not. */
  readonly abandoned: ReadonlySet<number>;
}

export async function readSessionWithNode(frames: readonly Buffer[]): Promise<NodeReading> {
  const abandoned = new Set<number>();
  const requests: SeenStream[] = [];
  const complete: ServerHttp2Stream[] = [];
  const server = createServer();
  server.on("sessionError", () => undefined);
  server.on("stream", (stream: ServerHttp2Stream, _headers: unknown, _flags: unknown, raw: readonly string[]) => {
    let [text, trailers]: [string, readonly string[]] = ["", []];
    stream.on("error", () => undefined);
    stream.on("close", () => stream.rstCode !== 0 && abandoned.add(stream.id ?? 0));
    stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    stream.on(
      "trailers",
      (_fields: unknown, _bits: unknown, list: readonly string[]) => (trailers = withoutHost(list)),
    );
    stream.on("end", () => {
      // Also when the client has reset it.
      if (stream.aborted || stream.rstCode !== 0) return void abandoned.add(stream.id ?? 0);
      requests.push({ stream: stream.id ?? 0, fields: [...raw], body: text, trailers });
      complete.push(stream);
    });
  });
  const sent = await converse(server, Buffer.concat([opening, ...frames, closing]), () => {
    for (const stream of complete) {
      if (stream.destroyed || stream.closed) continue;
      const fields = { ":status": 200, "x-id": String(stream.id) };
      stream.respond(fields, { sendDate: false } as ServerStreamResponseOptions);
      stream.end(body);
    }
  });
  const answers = readAnswers(framesOf(sent));
  // A session that Node gives up may be gone before its GOAWAY is.
  const hasEnded = framesOf(sent).some(({ payload }) => payload.toString("latin1") === "the-end!");
  const goAway = answers.goAway ?? (hasEnded ? null : -1);
  return { reading: { requests, ...answers, goAway }, abandoned };
}

/** What the server says to `bytes`. `answer` is called when it has read them, and its answers are waited for. */
async function converse(server: ReturnType<typeof createServer>, bytes: Buffer, answer: () => void): Promise<Buffer> {
  const [client, downstream] = duplexPair();
  let sent: Buffer = Buffer.alloc(0);
  downstream.on("error", () => undefined);
  client.on("error", () => undefined);
  const hasRead = new Promise<void>((resolve) => {
    client.on("data", (chunk: Buffer) => {
      sent = Buffer.concat([sent, chunk]);
      const isOver = ({ type, payload }: Frame) =>
        type === 7 || (type === 6 && payload.toString("latin1") === "the-end!");
      if (framesOf(sent).some(isOver)) resolve();
    });
    client.once("close", resolve);
    client.once("end", resolve);
  });
  server.emit("connection", downstream);
  client.write(bytes);
  await hasRead;
  // The ends of bodies are told a few turns after the bytes were read.
  await turns(10);
  answer();
  await turns(10);
  client.destroy();
  downstream.destroy();
  return sent;
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    // One after the other is the point.
    // eslint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function readAnswers(frames: readonly Frame[]): Omit<SessionReading, "requests"> {
  const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 65_536 });
  const answers = new Map<number, Answer>();
  const resets = new Map<number, number>();
  let goAway: number | null = null;
  for (const { type, flags, stream, payload } of frames) {
    const known = answers.get(stream) ?? { fields: [], body: "", hasEnded: false };
    const hasEnded = (flags & 1) !== 0;
    if (type === 0) answers.set(stream, { ...known, body: known.body + payload.toString("latin1"), hasEnded });
    else if (type === 1) {
      const fields = decoder.decode(payload);
      answers.set(stream, { ...known, fields: typeof fields === "string" ? [fields] : fields, hasEnded });
    } else if (type === 3) resets.set(stream, payload.readUInt32BE(0));
    else if (type === 7) goAway ??= payload.readUInt32BE(4);
  }
  return { answers, resets, goAway };
}
