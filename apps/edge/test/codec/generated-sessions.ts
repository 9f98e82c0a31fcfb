// Sessions of an HTTP/2 client as fast-check makes them up: requests with bodies and trailers whose frames are mixed, control frames
// between them; and the same with injuries that leave the frames whole, so that every reader knows where the next one begins.
import { data, flags, frame, type Frame, frameType, priority, reset, settings, update } from "@sluice/http2-frames";
import fc from "fast-check";
import { HpackEncoder } from "../../src/codec/http2/hpack/encoder.ts";

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

type Flat = readonly string[];

interface RequestPlan {
  readonly head: Flat;
  readonly body: readonly string[];
  readonly trailers: Flat | null;
  /** Where the header block is cut into frames. */
  readonly cut: number;
  readonly padding: number;
  readonly hasPriority: boolean;
  /** Given up before it is complete. */
  readonly isReset: boolean;
}

const fields = fc
  .array(
    fc.tuple(
      oneOf("x-a", "accept", "user-agent", "x-long", "cookie", "authorization", "x_odd!", "a"),
      fc.oneof(oneOf("", "1", "text/html", "a b\tc", "caf\u00e9", "x".repeat(200)), fc.string({ maxLength: 10 })),
    ),
    { maxLength: 5 },
  )
  .map((pairs) => pairs.flatMap(([name, value]) => [name, value.replaceAll(/[^\t\x20-\x7e\xe9]/g, "~").trim()]));

const plan: fc.Arbitrary<RequestPlan> = fc
  .record({
    method: oneOf("GET", "POST", "PUT", "DELETE", "M-SEARCH"),
    path: oneOf("/", "/a?b=c", "/%2e%2e/x", "/~!$&'()*+,;=:@"),
    fields,
    body: fc.array(
      fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "~")),
      { maxLength: 3 },
    ),
    trailers: fc.option(fields, { freq: 4 }),
    announces: fc.boolean(),
    cut: fc.nat({ max: 60 }),
    padding: oneOf(0, 0, 1, 7),
    hasPriority: fc.boolean(),
    isReset: oneOf(false, false, false, false, true),
  })
  .map(({ method, path, fields: more, announces, ...rest }) => {
    const length = announces && rest.body.length > 0 ? ["content-length", String(rest.body.join("").length)] : [];
    return {
      head: [":method", method, ":scheme", "https", ":path", path, ":authority", "a", ...more, ...length],
      ...rest,
    };
  });

type Control = (stream: number) => Buffer;
const control: fc.Arbitrary<Control> = fc.oneof(
  oneOf<Control>(
    () => frame(frameType.ping, 0, 0, Buffer.from("generate")),
    () => settings(),
    () => settings([4, 3]),
    () => settings([4, 100_000], [3, 7]),
    () => settings([1, 0]),
    () => settings([1, 100], [2, 0]),
    () => frame(frameType.settings, flags.ack, 0),
    () => update(0, 1000),
    () => frame(0x16, 0xff, 0, Buffer.from("unknown")),
    (stream) => frame(0x20, 0, stream, Buffer.alloc(0)),
    (stream) => frame(frameType.priority, 0, stream, priority(stream + 2)),
  ),
  fc.nat({ max: 100_000 }).map<Control>((increment) => (stream) => update(stream, increment + 1)),
);

/** One request's frames, a group that nothing may come between at a time. */
function* groupsOf(request: RequestPlan, stream: number, encoder: HpackEncoder): Generator<Buffer[]> {
  const { body, trailers, isReset } = request;
  const endsAtOnce = body.length === 0 && trailers === null && !isReset;
  yield headerFrames(request, { stream, block: encode(encoder, request.head), isLast: endsAtOnce });
  if (endsAtOnce) return;
  for (const [i, text] of body.entries()) {
    const isLast = i === body.length - 1 && trailers === null && !isReset;
    yield [padded(stream, text, { padding: request.padding, isLast })];
  }
  if (isReset) yield [reset(stream)];
  else if (trailers !== null) yield headerFrames(request, { stream, block: encode(encoder, trailers), isLast: true });
  else if (body.length === 0) yield [data(stream, "", true)];
}

function encode(encoder: HpackEncoder, list: Flat): Buffer {
  return Buffer.from(encoder.encode(0, list));
}

function headerFrames(
  { cut, padding, hasPriority }: RequestPlan,
  { stream, block, isLast }: { readonly stream: number; readonly block: Buffer; readonly isLast: boolean },
): Buffer[] {
  const at = Math.min(cut, block.length);
  const isWhole = at === block.length;
  const flag =
    (isLast ? flags.endStream : 0) |
    (isWhole ? flags.endHeaders : 0) |
    (padding > 0 ? flags.padded : 0) |
    (hasPriority ? flags.priority : 0);
  const payload = Buffer.concat([
    padding > 0 ? Buffer.of(padding) : Buffer.alloc(0),
    hasPriority ? priority(0) : Buffer.alloc(0),
    block.subarray(0, at),
    Buffer.alloc(padding),
  ]);
  const first = frame(frameType.headers, flag, stream, payload);
  return isWhole ? [first] : [first, frame(frameType.continuation, flags.endHeaders, stream, block.subarray(at))];
}

function padded(
  stream: number,
  text: string,
  { padding, isLast }: { readonly padding: number; readonly isLast: boolean },
): Buffer {
  if (padding === 0) return data(stream, text, isLast);
  const payload = Buffer.concat([Buffer.of(padding), Buffer.from(text, "latin1"), Buffer.alloc(padding)]);
  return frame(frameType.data, flags.padded | (isLast ? flags.endStream : 0), stream, payload);
}

/** Frames of a client that keeps to the rules, behind its preface. */
export const session: fc.Arbitrary<readonly Buffer[]> = fc
  .tuple(
    fc.array(plan, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat({ max: 9 }), control), { maxLength: 5 }),
    fc.array(fc.nat({ max: 99 }), { minLength: 24, maxLength: 24 }),
  )
  .map(([plans, controls, picks]) => mix(plans, controls, picks));

function mix(
  plans: readonly RequestPlan[],
  controls: readonly (readonly [place: number, control: Control])[],
  picks: readonly number[],
): Buffer[] {
  const encoder = new HpackEncoder();
  const waiting = [...plans];
  const open: Generator<Buffer[]>[] = [];
  const frames: Buffer[] = [];
  let lastStream = -1;
  for (let turn = 0; waiting.length > 0 || open.length > 0; turn++) {
    const pick = picks[turn % picks.length] ?? 0;
    const next = pick % 3 === 0 || open.length === 0 ? waiting.shift() : undefined;
    if (next !== undefined) open.push(groupsOf(next, (lastStream += 2), encoder));
    const chosen = next === undefined ? pick % open.length : open.length - 1;
    const group = open[chosen]?.next();
    if (group?.done === false) frames.push(...group.value);
    else open.splice(chosen, 1);
    for (const [place, make] of controls) if (place === turn && lastStream > 0) frames.push(make(lastStream));
  }
  // The server's SETTINGS are acknowledged once.
  const isAcknowledgement = (bytes: Buffer) => bytes[3] === frameType.settings && bytes[4] === flags.ack;
  const first = frames.findIndex(isAcknowledgement);
  return frames.filter((bytes, i) => i === first || !isAcknowledgement(bytes));
}

interface Injury {
  readonly place: number;
  readonly kind: "type" | "flag" | "stream" | "byte" | "cut" | "grow" | "twice" | "drop" | "swap";
  readonly value: number;
}

const injury: fc.Arbitrary<Injury> = fc.record({
  place: fc.nat(),
  kind: oneOf("type", "flag", "stream", "byte", "cut", "grow", "twice", "drop", "swap", "byte", "flag"),
  value: fc.nat({ max: 0xffff }),
});

/** The same with one to three injuries. */
export const injuredSession: fc.Arbitrary<readonly Buffer[]> = fc
  .tuple(session, fc.array(injury, { minLength: 1, maxLength: 3 }))
  .map(([frames, injuries]) => injuries.reduce(injure, frames));

function injure(frames: readonly Buffer[], { place, kind, value }: Injury): readonly Buffer[] {
  const at = place % frames.length;
  const hurt = frames[at];
  if (hurt === undefined) return frames;
  return frames.toSpliced(at, 1, ...replacement(hurt, { place, kind, value }, frames[at + 1] ?? hurt));
}

function replacement(hurt: Buffer, { kind, value }: Injury, following: Buffer): Buffer[] {
  const type = hurt.readUInt8(3);
  const flag = hurt.readUInt8(4);
  const stream = hurt.readUInt32BE(5);
  const payload = Buffer.from(hurt.subarray(9));
  switch (kind) {
    case "type":
      return [frame(value % 12, flag, stream, payload)];
    case "flag":
      return [frame(type, flag ^ [1, 4, 8, 0x20][value % 4]!, stream, payload)];
    case "stream":
      return [frame(type, flag, [0, 1, 2, 3, 5, 7, 99][value % 7]!, payload)];
    case "byte":
      if (payload.length > 0) payload[value % payload.length] = value >> 8;
      return [frame(type, flag, stream, payload)];
    case "cut":
      return [frame(type, flag, stream, payload.subarray(0, value % (payload.length + 1)))];
    case "grow":
      return [frame(type, flag, stream, Buffer.concat([payload, Buffer.of(value & 0xff)]))];
    case "twice":
      return [hurt, hurt];
    case "drop":
      return [];
    case "swap":
      return [following, hurt];
  }
}

/** For messages of failed tests. */
export function describeFrames(frames: readonly Frame[]): string {
  return frames
    .map(({ type, flags: flag, stream, payload }) => `${type}/${flag}/${stream}/${payload.toString("hex")}`)
    .join(" ");
}
