// Our HTTP/2 session against Node's (nghttp2) on generated and injured sessions: the same requests seen, the same answers sent. Ours may be
// stricter, as docs/adr/0015 lists; what it accepts, Node must have accepted and read the same way.
import { framesOf, preface, settings } from "@sluice/http2-frames";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readHttp2Head } from "../../src/listen/node/http2-head.ts";
import { describeFrames, injuredSession, session } from "./generated-sessions.ts";
import { readSessionWithNode, readSessionWithOurs, type SeenStream, type SessionReading } from "./http2-readers.ts";
import { SessionDriver } from "./session-driver.ts";

/** Node 20's HTTP/2 may abort its process when a session is collected (node_http2.cc, ~Http2Session), about once in thousands of them. */
const usualRuns = Number(process.versions.node.split(".")[0]) < 22 ? 100 : 1000;
const numRuns = Number(process.env["SLUICE_PROPERTY_RUNS"] ?? usualRuns);
/** Set to replay a failure; printed with every run. */
const seed = Number(process.env["SLUICE_PROPERTY_SEED"] ?? Date.now() % 2 ** 31);
const options = { seed, numRuns };
const timeoutMs = Math.max(300_000, numRuns * 20);

/** What nghttp2 resets and ours hands on, the next reader answers with 400: no authority, or a target or authority that is none. */
const isServed = ({ fields }: SeenStream) => typeof readHttp2Head(fields, true, 65_536) !== "string";

/** Node gives up on an unexpected answer to PING, which h2spec wants ignored, and on GOAWAY of a client that has streams under way. */
const isMoreToNode = (bytes: Buffer) => bytes[3] === 7 || (bytes[3] === 6 && (bytes.readUInt8(4) & 1) === 1);

const byStream = ({ requests }: SessionReading) => requests.toSorted((left, right) => left.stream - right.stream);

test(
  `what a client may say, our session and node:http2 read and answer alike (seed ${seed})`,
  async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(session, async (frames) => {
        const ours = readSessionWithOurs(frames);
        const { reading: node } = await readSessionWithNode(frames);
        expect(byStream(ours)).toEqual(byStream(node));
        expect(ours).toEqual({ ...node, requests: ours.requests });
        expect(ours.goAway).toBe(null);
        read += ours.requests.length;
      }),
      options,
    );
    expect(read).toBeGreaterThan(numRuns);
  },
  timeoutMs,
);

test(
  `of injured sessions ours accepts nothing that node:http2 refuses or reads otherwise (seed ${seed})`,
  async () => {
    let [accepted, stricter] = [0, 0];
    await fc.assert(
      fc.asyncProperty(injuredSession, async (frames) => {
        const ours = readSessionWithOurs(frames);
        const { reading: node, abandoned } = await readSessionWithNode(frames);
        const said = describeFrames(framesOf(Buffer.concat(frames)));
        // What RFC 9113 calls an error of a stream nghttp2 may take for one of the connection.
        const mayGoOn = ours.resets.size > 0 || frames.some(isMoreToNode);
        if (node.goAway !== null) expect(ours.goAway !== null || mayGoOn, `${said} ${node.goAway}`).toBe(true);
        else if (ours.goAway !== null) stricter++;
        const nodeSaw = new Map(node.requests.map((request) => [request.stream, request]));
        for (const request of ours.requests.filter(isServed)) {
          const same = nodeSaw.get(request.stream);
          if (same !== undefined) expect(request, said).toEqual(same);
          // With the connection or stream Node gives up what had been complete before.
          else expect(node.goAway !== null || abandoned.has(request.stream), `${request.stream}: ${said}`).toBe(true);
          accepted++;
        }
      }),
      options,
    );
    // A generator that breaks everything, or nothing, would prove nothing.
    expect(accepted).toBeGreaterThan(numRuns * 0.3);
    expect(stricter).toBeLessThan(numRuns * 0.5);
  },
  timeoutMs,
);

test(`where the stream is cut does not matter (seed ${seed})`, () => {
  const opening = Buffer.concat([preface, settings()]);
  const read = (pieces: readonly Buffer[]) => {
    const driver = new SessionDriver((stream) => driver.respond(stream, "hello"));
    driver.receive(...pieces);
    // Of a body that turns out to be too long, what had come before that is handed on.
    const requests = driver.requests.map((request) => (request.isReset ? { ...request, body: "" } : request));
    return { requests, fault: driver.fault, frames: driver.frames };
  };
  fc.assert(
    fc.property(fc.oneof(session, injuredSession), fc.array(fc.nat(), { maxLength: 6 }), (frames, cuts) => {
      const bytes = Buffer.concat([opening, ...frames]);
      const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((left, right) => left - right);
      const pieces = [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
      const whole = read([bytes]);
      expect(read(pieces)).toEqual(whole);
      expect(read(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(whole);
    }),
    options,
  );
});

test(`bytes of any kind bring nothing worse than a GOAWAY (seed ${seed})`, () => {
  const noise = fc.tuple(injuredSession, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }));
  fc.assert(
    fc.property(noise, ([frames, place, bytes]) => {
      const all = Buffer.concat([preface, settings(), ...frames]);
      all.set(bytes.subarray(0, all.length - (place % all.length)), place % all.length);
      const driver = new SessionDriver((stream) => driver.respond(stream, "hello"));
      driver.receive(all);
      expect(framesOf(Buffer.concat(driver.frames.map(({ payload }) => payload)))).toBeDefined();
      expect(driver.frames.some(({ type }) => type === 7)).toBe(driver.fault !== null);
    }),
    options,
  );
});
