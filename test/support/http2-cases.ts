// What RFC 9113 and RFC 7541 ask of a server, a case each, in the order of the sections that h2spec names (RFC 7540's numbers). The server of a
// case answers every complete request with 200 and a body of five bytes or more.
import {
  block,
  data,
  flags,
  type Frame,
  frame,
  framesOf,
  frameType,
  get,
  getFields,
  isGoAwayFrame,
  literal,
  ping,
  post,
  preface,
  priority,
  pushPromise,
  request,
  reset,
  settings,
  uint32,
  update,
} from "@sluice/http2-frames";

export const code = {
  protocol: 1,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  compression: 9,
} as const;

/** What must come of it, told by the frames that the server has sent: met, not met yet, or never to be met. */
export type Verdict = "met" | "pending" | "failed";
export type Outcome = (frames: readonly Frame[]) => Verdict;

export interface Http2Case {
  readonly section: string;
  readonly claim: string;
  /** Sent behind the preface and empty SETTINGS, unless `isRaw`. */
  readonly bytes: Buffer;
  readonly isRaw: boolean;
  /** Sent once DATA has come. */
  readonly later: Buffer | null;
  readonly outcome: Outcome;
}

const codeOf = ({ type, payload }: Frame): number => payload.readUInt32BE(type === frameType.goaway ? 4 : 0);

const breaks =
  (...codes: number[]): Outcome =>
  (frames) => {
    const goAway = frames.find(isGoAwayFrame);
    if (goAway === undefined) return "pending";
    return codes.includes(codeOf(goAway)) ? "met" : "failed";
  };

/** A stream's error; that the connection ends with the same code is as good (RFC 9113, 5.4.2). */
const resets =
  (stream: number, ...codes: number[]): Outcome =>
  (frames) => {
    const end = frames.find((sent) => isGoAwayFrame(sent) || (sent.type === frameType.reset && sent.stream === stream));
    if (end === undefined) return "pending";
    return codes.includes(codeOf(end)) ? "met" : "failed";
  };

const answers =
  (...streams: number[]): Outcome =>
  (frames) => {
    if (frames.some(isGoAwayFrame)) return "failed";
    const hasEnded = (stream: number) =>
      frames.some((sent) => sent.stream === stream && sent.type <= 1 && (sent.flags & flags.endStream) !== 0);
    return streams.every(hasEnded) ? "met" : "pending";
  };

const replies =
  (expected: Buffer): Outcome =>
  (frames) => {
    const [wanted] = framesOf(expected);
    const isWanted = (sent: Frame): boolean =>
      sent.type === wanted?.type && sent.flags === wanted.flags && sent.payload.equals(wanted.payload);
    return frames.some(isGoAwayFrame) ? "failed" : frames.some(isWanted) ? "met" : "pending";
  };

/** DATA frames of these lengths come first on stream 1. */
const sends =
  (...lengths: number[]): Outcome =>
  (frames) => {
    if (frames.some(isGoAwayFrame)) return "failed";
    const sent = frames.filter(({ type, stream }) => type === frameType.data && stream === 1);
    if (sent.length < lengths.length) return "pending";
    return lengths.every((length, i) => sent[i]?.payload.length === length) ? "met" : "failed";
  };

interface Rest {
  readonly isRaw?: boolean;
  readonly later?: Buffer;
}

const at = (
  section: string,
  claim: string,
  parts: readonly Buffer[],
  ...[outcome, rest = {}]: readonly [outcome: Outcome, rest?: Rest]
): Http2Case => ({
  section,
  claim,
  bytes: Buffer.concat(parts),
  isRaw: rest.isRaw ?? false,
  later: rest.later ?? null,
  outcome,
});

const { endHeaders, endStream, padded } = flags;
const whole = endHeaders | endStream;
const headers = (flag: number, stream: number, payload: Buffer) => frame(frameType.headers, flag, stream, payload);
const continuation = (flag: number, stream: number, payload: Buffer) =>
  frame(frameType.continuation, flag, stream, payload);
const priorityOn = (stream: number, parent: number, weight?: number) =>
  frame(frameType.priority, 0, stream, priority(parent, weight));
const getBlock = block(getFields);
const [firstHalf, secondHalf] = [getBlock.subarray(0, 20), getBlock.subarray(20)];
const dummy = literal("x-dummy", "1");
const empty = Buffer.alloc(0);
const unknownFrame = frame(0x16, 0, 0, Buffer.from("unknown"));
/** A GET whose block ends with these bytes. */
const getWith = (...tail: number[]) => headers(whole, 1, Buffer.concat([getBlock, Buffer.from(tail)]));
const getWithout = (name: string) => request(getFields.filter(([known]) => known !== name));
const replaced = (name: string, value: string) =>
  request(getFields.map(([known, old]) => [known, known === name ? value : old] as const));
const closed = [get(1), reset(1)];

const generic: Http2Case[] = [
  at("generic 1", "a connection begins with the server's SETTINGS", [], (frames) =>
    frames[0] === undefined
      ? "pending"
      : frames[0].type === frameType.settings && frames[0].flags === 0
        ? "met"
        : "failed",
  ),
  at("generic 2", "PRIORITY on an idle stream", [priorityOn(1, 0), get(1)], answers(1)),
  at("generic 2", "WINDOW_UPDATE on a half-closed stream", [get(1), update(1, 100)], answers(1)),
  at("generic 2", "PRIORITY on a half-closed stream", [get(1), priorityOn(1, 0)], answers(1)),
  at("generic 2", "RST_STREAM on a half-closed stream", [get(1), reset(1), get(3)], answers(3)),
  at("generic 2", "PRIORITY on a closed stream", [...closed, priorityOn(1, 0), get(3)], answers(3)),
  at(
    "generic 2",
    "WINDOW_UPDATE and RST_STREAM on a closed stream",
    [...closed, update(1, 9), reset(1), get(3)],
    answers(3),
  ),
  at("generic 3.1", "one DATA frame", [post(1), data(1, "test", true)], answers(1)),
  at("generic 3.1", "several DATA frames", [post(1), data(1, "test"), data(1, ""), data(1, "test", true)], answers(1)),
  at(
    "generic 3.1",
    "DATA with padding",
    [post(1), frame(0, padded | endStream, 1, Buffer.from("\u0003test\0\0\0"))],
    answers(1),
  ),
  at(
    "generic 3.1",
    "DATA of padding alone",
    [post(1), frame(0, padded | endStream, 1, Buffer.from("\u0003\0\0\0"))],
    answers(1),
  ),
  at("generic 3.2", "HEADERS", [get(1)], answers(1)),
  at(
    "generic 3.2",
    "HEADERS with padding",
    [headers(whole | padded, 1, Buffer.concat([Buffer.of(2), getBlock, Buffer.alloc(2)]))],
    answers(1),
  ),
  at(
    "generic 3.2",
    "HEADERS with priority",
    [headers(whole | flags.priority, 1, Buffer.concat([priority(0x8000_0003), getBlock]))],
    answers(1),
  ),
  at(
    "generic 3.2",
    "HEADERS with padding and priority",
    [
      headers(
        whole | padded | flags.priority,
        1,
        Buffer.concat([Buffer.of(1), priority(0), getBlock, Buffer.alloc(1)]),
      ),
    ],
    answers(1),
  ),
  at(
    "generic 3.3",
    "PRIORITY of every weight and kind",
    [priorityOn(3, 0, 0), priorityOn(3, 0, 255), priorityOn(3, 0x8000_0001), priorityOn(3, 99), get(1)],
    answers(1),
  ),
  at("generic 3.4", "RST_STREAM", [post(1), reset(1), get(3)], answers(3)),
  at("generic 3.5", "SETTINGS", [settings([4, 1000])], replies(frame(frameType.settings, flags.ack, 0))),
  at("generic 3.7", "PING", [ping("h2spec!!")], replies(ping("h2spec!!", flags.ack))),
  at(
    "generic 3.8",
    "GOAWAY ends nothing that has begun",
    [post(1), frame(frameType.goaway, 0, 0, Buffer.alloc(8)), data(1, "x", true)],
    answers(1),
  ),
  at("generic 3.9", "WINDOW_UPDATE of stream and connection", [get(1), update(0, 1), update(1, 1)], answers(1)),
  at(
    "generic 3.10",
    "one CONTINUATION",
    [headers(endStream, 1, firstHalf), continuation(endHeaders, 1, secondHalf)],
    answers(1),
  ),
  at(
    "generic 3.10",
    "several CONTINUATION, an empty one among them",
    [
      headers(endStream, 1, firstHalf),
      continuation(0, 1, secondHalf),
      continuation(0, 1, empty),
      continuation(endHeaders, 1, dummy),
    ],
    answers(1),
  ),
  at("generic 4", "HEAD", [replaced(":method", "HEAD")], answers(1)),
  at("generic 4", "POST with trailers", [post(1), data(1, "test"), headers(whole, 1, dummy)], answers(1)),
  at("generic 4", "te: trailers", [get(1, [["te", "trailers"]])], answers(1)),
];

const hpackRead: Http2Case[] = [
  at(
    "generic 5",
    "an indexed field",
    [headers(whole, 1, Buffer.concat([Buffer.of(0x82, 0x87, 0x84), literal(":authority", "a")]))],
    answers(1),
  ),
  at(
    "generic 5",
    "a literal with incremental indexing, its name indexed and new",
    [getWith(0x7a, 1, 0x61), getOn(3, 0x40, 1, 0x78, 1, 0x79), getOn(5, 0xbe)],
    answers(1, 3, 5),
  ),
  at("generic 5", "a literal without indexing, its name indexed", [getWith(0x0f, 0x2b, 1, 0x61)], answers(1)),
  at("generic 5", "a literal never indexed", [getWith(0x10, 1, 0x78, 1, 0x79)], answers(1)),
  at("generic 5", "a literal in Huffman code", [getWith(0x0f, 0x2b, 0x82, 0x1c, 0x64)], answers(1)),
  at(
    "generic 5",
    "table size updates, two at once",
    [headers(whole, 1, Buffer.concat([Buffer.of(0x20, 0x3f, 0xe1, 0x1f), getBlock]))],
    answers(1),
  ),
];

function getOn(stream: number, ...tail: number[]): Buffer {
  return headers(whole, stream, Buffer.concat([getBlock, Buffer.from(tail)]));
}

const framing: Http2Case[] = [
  at("3.5", "a preface that is none", [Buffer.from("INVALID CONNECTION PREFACE\r\n\r\n")], breaks(code.protocol), {
    isRaw: true,
  }),
  at(
    "3.5",
    "a preface that breaks off into something else",
    [preface.subarray(0, 20), Buffer.from("xxxxxxxx")],
    breaks(code.protocol),
    { isRaw: true },
  ),
  at("3.5", "a preface without SETTINGS behind it", [preface, ping()], breaks(code.protocol), { isRaw: true }),
  at(
    "3.5",
    "a preface with an acknowledgement behind it",
    [preface, frame(frameType.settings, flags.ack, 0)],
    breaks(code.protocol),
    { isRaw: true },
  ),
  at("4.1", "a frame of an unknown type is ignored", [unknownFrame, get(1)], answers(1)),
  at(
    "4.1",
    "flags without meaning are ignored",
    [frame(frameType.ping, 0x16, 0, Buffer.from("12345678"))],
    replies(ping("12345678", flags.ack)),
  ),
  at(
    "4.1",
    "the reserved bit is ignored",
    [frame(frameType.ping, 0, 0x8000_0000, Buffer.from("12345678"))],
    replies(ping("12345678", flags.ack)),
  ),
  at("4.2", "DATA of 2^14 bytes", [post(1), data(1, "x".repeat(16_384), true)], answers(1)),
  at("4.2", "DATA larger than allowed", [post(1), data(1, "x".repeat(16_385), true)], resets(1, code.frameSize)),
  at(
    "4.2",
    "HEADERS larger than allowed",
    [headers(whole, 1, Buffer.concat([getBlock, Buffer.alloc(16_384)]))],
    breaks(code.frameSize),
  ),
  at("4.3", "a header block that cannot be read", [headers(whole, 1, Buffer.of(0x40))], breaks(code.compression)),
  at(
    "4.3",
    "PRIORITY inside a header block",
    [headers(endStream, 1, firstHalf), priorityOn(1, 0)],
    breaks(code.protocol),
  ),
  at(
    "4.3",
    "HEADERS of another stream inside a header block",
    [headers(endStream, 1, firstHalf), get(3)],
    breaks(code.protocol),
  ),
];

const states: Http2Case[] = [
  at("5.1", "idle: DATA", [data(1, "test", true)], breaks(code.protocol)),
  at(
    "5.1",
    "idle: DATA on a stream that only a server could open",
    [get(3), data(2, "test", true)],
    breaks(code.protocol),
  ),
  at("5.1", "idle: RST_STREAM", [reset(1)], breaks(code.protocol)),
  at("5.1", "idle: WINDOW_UPDATE", [update(1, 100)], breaks(code.protocol)),
  at("5.1", "idle: CONTINUATION", [continuation(endHeaders, 1, getBlock)], breaks(code.protocol)),
  at("5.1", "half closed (remote): DATA", [get(1), data(1, "test", true)], resets(1, code.streamClosed)),
  at("5.1", "half closed (remote): HEADERS", [get(1), headers(whole, 1, dummy)], resets(1, code.streamClosed)),
  at(
    "5.1",
    "half closed (remote): CONTINUATION",
    [get(1), continuation(endHeaders, 1, dummy)],
    breaks(code.streamClosed, code.protocol),
  ),
  at("5.1", "closed by RST_STREAM: DATA", [post(1), reset(1), data(1, "test", true)], resets(1, code.streamClosed)),
  at(
    "5.1",
    "closed by RST_STREAM: HEADERS",
    [post(1), reset(1), headers(whole, 1, dummy)],
    resets(1, code.streamClosed),
  ),
  at(
    "5.1",
    "closed by RST_STREAM: CONTINUATION",
    [post(1), reset(1), continuation(endHeaders, 1, dummy)],
    breaks(code.streamClosed, code.protocol),
  ),
  at("5.1", "closed by both ends: DATA", [get(1)], resets(1, code.streamClosed), { later: data(1, "test", true) }),
  at("5.1", "closed by both ends: HEADERS", [get(1)], breaks(code.streamClosed), { later: headers(whole, 1, dummy) }),
  at("5.1", "closed by both ends: CONTINUATION", [get(1)], breaks(code.streamClosed, code.protocol), {
    later: continuation(endHeaders, 1, dummy),
  }),
  at("5.1.1", "a stream of an even number", [get(2)], breaks(code.protocol)),
  at("5.1.1", "a stream below the last one", [get(5), get(3)], breaks(code.protocol)),
  at(
    "5.1.2",
    "more streams than announced",
    Array.from({ length: 101 }, (_, i) => post(2 * i + 1)),
    resets(201, code.protocol, code.refused),
  ),
  at(
    "5.3.1",
    "HEADERS that depend on their own stream",
    [headers(whole | flags.priority, 1, Buffer.concat([priority(1), getBlock]))],
    resets(1, code.protocol),
  ),
  at("5.3.1", "PRIORITY that depends on its own stream", [post(1), priorityOn(1, 1)], resets(1, code.protocol)),
  at(
    "5.4.1",
    "the connection ends behind its GOAWAY",
    [frame(frameType.ping, 0, 0, Buffer.alloc(6))],
    breaks(code.frameSize),
  ),
  at("5.5", "an extension frame of an unknown type", [unknownFrame, ping()], replies(ping("12345678", flags.ack))),
  at(
    "5.5",
    "an extension frame inside a header block",
    [headers(endStream, 1, firstHalf), unknownFrame],
    breaks(code.protocol),
  ),
];

const types: Http2Case[] = [
  at(
    "6.1",
    "DATA on the connection",
    [frame(frameType.data, endStream, 0, Buffer.from("test"))],
    breaks(code.protocol),
  ),
  at("6.1", "DATA on a stream that is not open", [get(1), data(1, "test", true)], resets(1, code.streamClosed)),
  at(
    "6.1",
    "DATA with more padding than payload",
    [post(1), frame(0, padded | endStream, 1, Buffer.from("\u0006test"))],
    breaks(code.protocol),
  ),
  at(
    "6.1",
    "DATA without its padding length",
    [post(1), frame(0, padded, 1, empty)],
    breaks(code.frameSize, code.protocol),
  ),
  at(
    "6.2",
    "HEADERS without END_HEADERS, and PRIORITY",
    [headers(endStream, 1, getBlock), priorityOn(1, 0)],
    breaks(code.protocol),
  ),
  at(
    "6.2",
    "HEADERS without END_HEADERS, and HEADERS of another stream",
    [headers(endStream, 1, getBlock), get(3)],
    breaks(code.protocol),
  ),
  at("6.2", "HEADERS without END_HEADERS, and DATA", [headers(0, 1, getBlock), data(1, "x")], breaks(code.protocol)),
  at("6.2", "HEADERS on the connection", [headers(whole, 0, getBlock)], breaks(code.protocol)),
  at(
    "6.2",
    "HEADERS with more padding than payload",
    [headers(whole | padded, 1, Buffer.concat([Buffer.of(255), getBlock.subarray(0, 20)]))],
    breaks(code.protocol),
  ),
  at(
    "6.2",
    "HEADERS without its padding length",
    [headers(whole | padded, 1, empty)],
    breaks(code.frameSize, code.protocol),
  ),
  at(
    "6.2",
    "HEADERS too short for their priority",
    [headers(whole | flags.priority, 1, Buffer.alloc(4))],
    breaks(code.frameSize),
  ),
  at(
    "6.2",
    "HEADERS whose padding leaves no room for their priority",
    [headers(whole | padded | flags.priority, 1, Buffer.concat([Buffer.of(5), priority(0), Buffer.alloc(2)]))],
    breaks(code.protocol),
  ),
  at("6.3", "PRIORITY on the connection", [priorityOn(0, 1)], breaks(code.protocol)),
  at(
    "6.3",
    "PRIORITY of another length than 5",
    [post(1), frame(frameType.priority, 0, 1, Buffer.alloc(4))],
    resets(1, code.frameSize),
  ),
  at(
    "6.3",
    "PRIORITY of another length than 5 on an idle stream",
    [frame(frameType.priority, 0, 1, Buffer.alloc(4))],
    breaks(code.frameSize),
  ),
  at("6.4", "RST_STREAM on the connection", [reset(0)], breaks(code.protocol)),
  at("6.4", "RST_STREAM on an idle stream", [reset(1)], breaks(code.protocol)),
  at(
    "6.4",
    "RST_STREAM of another length than 4",
    [post(1), frame(frameType.reset, 0, 1, Buffer.alloc(3))],
    breaks(code.frameSize),
  ),
  at(
    "6.5",
    "SETTINGS acknowledged with a payload",
    [frame(frameType.settings, flags.ack, 0, Buffer.of(0))],
    breaks(code.frameSize),
  ),
  at("6.5", "SETTINGS on a stream", [frame(frameType.settings, 0, 1)], breaks(code.protocol)),
  at(
    "6.5",
    "SETTINGS of a length that is no multiple of 6",
    [frame(frameType.settings, 0, 0, Buffer.alloc(3))],
    breaks(code.frameSize),
  ),
  at("6.5.2", "ENABLE_PUSH of 2", [settings([2, 2])], breaks(code.protocol)),
  at("6.5.2", "INITIAL_WINDOW_SIZE of 2^31", [settings([4, 0x8000_0000])], breaks(code.flowControl)),
  at("6.5.2", "MAX_FRAME_SIZE below 2^14", [settings([5, 16_383])], breaks(code.protocol)),
  at("6.5.2", "MAX_FRAME_SIZE of 2^24", [settings([5, 16_777_216])], breaks(code.protocol)),
  at("6.5.2", "an unknown setting is ignored", [settings([0xff, 1]), ping()], replies(ping("12345678", flags.ack))),
  at("RFC 8441 3", "ENABLE_CONNECT_PROTOCOL of 2", [settings([8, 2])], breaks(code.protocol)),
  at("RFC 9218 2.1", "NO_RFC7540_PRIORITIES of 2", [settings([9, 2])], breaks(code.protocol)),
  at("6.5.3", "of a setting given twice the last one counts", [settings([4, 100], [4, 1]), get(1)], sends(1)),
  at("6.5.3", "SETTINGS are acknowledged", [settings()], replies(frame(frameType.settings, flags.ack, 0))),
  at("6.7", "PING is answered with its payload", [ping("abcdefgh")], replies(ping("abcdefgh", flags.ack))),
  at(
    "6.7",
    "an unexpected answer to PING is ignored",
    [ping("abcdefgh", flags.ack), ping()],
    replies(ping("12345678", flags.ack)),
  ),
  at("6.7", "PING on a stream", [frame(frameType.ping, 0, 1, Buffer.alloc(8))], breaks(code.protocol)),
  at("6.7", "PING of another length than 8", [frame(frameType.ping, 0, 0, Buffer.alloc(6))], breaks(code.frameSize)),
  at("6.8", "GOAWAY on a stream", [frame(frameType.goaway, 0, 1, Buffer.alloc(8))], breaks(code.protocol)),
  at("6.8", "GOAWAY shorter than 8", [frame(frameType.goaway, 0, 0, Buffer.alloc(7))], breaks(code.frameSize)),
  at("6.9", "WINDOW_UPDATE of the connection by nothing", [update(0, 0)], breaks(code.protocol)),
  at("6.9", "WINDOW_UPDATE of a stream by nothing", [post(1), update(1, 0)], resets(1, code.protocol)),
  at(
    "6.9",
    "WINDOW_UPDATE of another length than 4",
    [frame(frameType.windowUpdate, 0, 0, Buffer.alloc(3))],
    breaks(code.frameSize),
  ),
  at("6.9.1", "a window of 1 lets a byte through, and another when it grows", [settings([4, 1]), get(1)], sends(1, 1), {
    later: update(1, 1),
  }),
  at(
    "6.9.1",
    "the connection's window grows past 2^31-1",
    [update(0, 0x7fff_ffff), update(0, 0x7fff_ffff)],
    breaks(code.flowControl),
  ),
  at(
    "6.9.1",
    "a stream's window grows past 2^31-1",
    [post(1), update(1, 0x7fff_ffff), update(1, 0x7fff_ffff)],
    resets(1, code.flowControl),
  ),
  at(
    "6.9.2",
    "INITIAL_WINDOW_SIZE widens streams that are open",
    [settings([4, 0]), get(1), settings([4, 1])],
    sends(1),
  ),
  at("6.9.2", "a window may become negative", [settings([4, 3]), get(1)], sends(3, 1), {
    later: Buffer.concat([settings([4, 2]), update(1, 2)]),
  }),
  at(
    "6.9.2",
    "INITIAL_WINDOW_SIZE widens an open stream past 2^31-1",
    [settings([4, 0]), post(1), update(1, 0x7fff_ffff), settings([4, 1])],
    breaks(code.flowControl),
  ),
  at(
    "6.10",
    "a header block in three frames",
    [headers(endStream, 1, firstHalf), continuation(0, 1, secondHalf), continuation(endHeaders, 1, dummy)],
    answers(1),
  ),
  at(
    "6.10",
    "CONTINUATION, and then something else",
    [headers(endStream, 1, firstHalf), continuation(0, 1, secondHalf), data(1, "x")],
    breaks(code.protocol),
  ),
  at(
    "6.10",
    "CONTINUATION on the connection",
    [headers(endStream, 1, firstHalf), continuation(endHeaders, 0, secondHalf)],
    breaks(code.protocol),
  ),
  at(
    "6.10",
    "CONTINUATION of another stream",
    [headers(endStream, 1, firstHalf), continuation(endHeaders, 3, secondHalf)],
    breaks(code.protocol),
  ),
  at(
    "6.10",
    "CONTINUATION behind a complete HEADERS",
    [get(1), continuation(endHeaders, 1, dummy)],
    breaks(code.protocol),
  ),
  at(
    "6.10",
    "CONTINUATION behind the last CONTINUATION",
    [headers(endStream, 1, firstHalf), continuation(endHeaders, 1, secondHalf), continuation(endHeaders, 1, dummy)],
    breaks(code.protocol),
  ),
  at(
    "6.10",
    "CONTINUATION behind DATA",
    [post(1), data(1, "test"), continuation(endHeaders, 1, dummy)],
    breaks(code.protocol),
  ),
  at(
    "7",
    "GOAWAY with an unknown error code",
    [frame(frameType.goaway, 0, 0, Buffer.concat([uint32(0), uint32(255)])), ping()],
    replies(ping("12345678", flags.ack)),
  ),
  at(
    "7",
    "RST_STREAM with an unknown error code",
    [get(1), reset(1, 255), ping()],
    replies(ping("12345678", flags.ack)),
  ),
];

const wrong = resets(1, code.protocol);
const messages: Http2Case[] = [
  at("8.1", "a second HEADERS that does not end the stream", [post(1), headers(endHeaders, 1, dummy)], wrong),
  at("8.1.2", "a name in upper case", [get(1, [["X-Dummy", "1"]])], wrong),
  at("8.1.2", "an empty name (CVE-2019-9516)", [get(1, [["", "1"]])], wrong),
  at("8.1.2", "a name with a blank", [get(1, [["x y", "1"]])], wrong),
  at("8.1.2", "a value with a line end", [get(1, [["x", "1\r\ny: 2"]])], wrong),
  at("8.1.2", "a value with NUL", [get(1, [["x", "1\0"]])], wrong),
  at("8.1.2", "a value with a blank in front", [get(1, [["x", " 1"]])], wrong),
  at("8.1.2.1", "an unknown pseudo field", [request([...getFields, [":test", "1"]])], wrong),
  at("8.1.2.1", "a response's pseudo field", [request([...getFields, [":status", "200"]])], wrong),
  at("8.1.2.1", "a pseudo field in trailers", [post(1), headers(whole, 1, literal(":method", "GET"))], wrong),
  at(
    "8.1.2.1",
    "a pseudo field behind others",
    [
      request([
        [":scheme", "https"],
        ["x", "1"],
        [":method", "GET"],
        [":path", "/"],
        [":authority", "a"],
      ]),
    ],
    wrong,
  ),
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map((name) =>
    at("8.1.2.2", `a connection's field: ${name}`, [get(1, [[name, "x"]])], wrong),
  ),
  at("8.1.2.2", "te: trailers, deflate", [get(1, [["te", "trailers, deflate"]])], wrong),
  at("8.1.2.3", "an empty :path", [replaced(":path", "")], wrong),
  at("8.1.2.3", "a :path with a blank", [replaced(":path", "/ HTTP/1.1")], wrong),
  at("8.1.2.3", "a :method that is no token", [replaced(":method", "GET / HTTP/1.1\r\nx:")], wrong),
  at("8.1.2.3", "a :method with a blank", [replaced(":method", "GET /x")], wrong),
  at("8.1.2.3", "an empty :method", [replaced(":method", "")], wrong),
  at("8.1.2.3", "a :scheme that is none", [replaced(":scheme", "ht tp")], wrong),
  ...[":method", ":scheme", ":path"].map((name) => at("8.1.2.3", `no ${name}`, [getWithout(name)], wrong)),
  ...[":method", ":scheme", ":path", ":authority"].map((name) =>
    at("8.1.2.3", `${name} twice`, [request([getFields.find(([known]) => known === name)!, ...getFields])], wrong),
  ),
  at(
    "8.1.2.6",
    "content-length beside one DATA frame of another length",
    [post(1, [["content-length", "1"]]), data(1, "test", true)],
    wrong,
  ),
  at(
    "8.1.2.6",
    "content-length beside several DATA frames of another length",
    [post(1, [["content-length", "1"]]), data(1, "te"), data(1, "st", true)],
    wrong,
  ),
  at(
    "8.1.2.6",
    "content-length of more than comes",
    [post(1, [["content-length", "9"]]), data(1, "test", true)],
    wrong,
  ),
  at("8.1.2.6", "content-length without a body", [get(1, [["content-length", "9"]])], wrong),
  at(
    "8.1.2.6",
    "content-length twice",
    [
      post(1, [
        ["content-length", "4"],
        ["content-length", "4"],
      ]),
      data(1, "test", true),
    ],
    wrong,
  ),
  at(
    "8.1.2.6",
    "content-length that is no number",
    [post(1, [["content-length", "+4"]]), data(1, "test", true)],
    wrong,
  ),
  at(
    "8.2",
    "PUSH_PROMISE",
    [frame(pushPromise, endHeaders, 1, Buffer.concat([uint32(2), getBlock]))],
    breaks(code.protocol),
  ),
  at("8.3", "CONNECT with a path", [replaced(":method", "CONNECT")], wrong),
  at("RFC 8441 4", "a :protocol without CONNECT", [request([...getFields, [":protocol", "websocket"]])], wrong),
];

const unreadable = breaks(code.compression);
const hpack: Http2Case[] = [
  at("HPACK 2.3.3", "an index beyond the tables", [getWith(0xc6)], unreadable),
  at("HPACK 2.3.3", "an indexed name beyond the tables", [getWith(0x7f, 0x7f, 0x01, 0x61)], unreadable),
  at("HPACK 4.2", "a table size update at the end of a block", [getWith(0x20)], unreadable),
  at("HPACK 5.1", "an integer without end", [getWith(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)], unreadable),
  at("HPACK 5.1", "an integer that is cut off", [getWith(0xff)], unreadable),
  at("HPACK 5.2", "a string longer than its block", [getWith(0x00, 0x05, 0x61)], unreadable),
  at(
    "HPACK 5.2",
    "padding of more than seven bits",
    [getWith(0x00, 0x86, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0xff, 0x01, 0x61)],
    unreadable,
  ),
  at(
    "HPACK 5.2",
    "padding that is not the end-of-string symbol's",
    [getWith(0x00, 0x84, 0xf2, 0xb2, 0x4a, 0x80, 0x01, 0x61)],
    unreadable,
  ),
  at(
    "HPACK 5.2",
    "the end-of-string symbol",
    [getWith(0x00, 0x88, 0xf2, 0xb2, 0x4a, 0x87, 0xff, 0xff, 0xff, 0xff, 0x01, 0x61)],
    unreadable,
  ),
  at("HPACK 6.1", "the index 0", [getWith(0x80)], unreadable),
  at(
    "HPACK 6.3",
    "a table larger than announced",
    [headers(whole, 1, Buffer.concat([Buffer.of(0x3f, 0xe2, 0x1f), getBlock]))],
    unreadable,
  ),
];

export const http2Cases: readonly Http2Case[] = [
  ...generic,
  ...hpackRead,
  ...framing,
  ...states,
  ...types,
  ...messages,
  ...hpack,
];
