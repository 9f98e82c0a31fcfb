// Our request parser against Node's (llhttp) on generated and mutilated sessions. Ours may be stricter; what it accepts, Node must accept
// and read the same way: two readers that disagree on where a request ends are what request smuggling is made of.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readWithNode, readWithOurs } from "./read-requests.ts";

const numRuns = Number(process.env["SLUICE_PROPERTY_RUNS"] ?? 2000);
/** Set to replay a failure; printed with every run. */
const seed = Number(process.env["SLUICE_PROPERTY_SEED"] ?? Date.now() % 2 ** 31);
const timeoutMs = Math.max(300_000, numRuns * 20);

const oneOf = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values);

const requestLine = fc
  .tuple(
    oneOf("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"),
    oneOf("/", "/a?b=c", "/%2e%2e/x", "/a;b/c", "//x", "/caf%c3%a9", "/a#b", "/~!$&'()*+,=:@"),
    oneOf("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"),
  )
  .map((parts) => parts.join(" "));

const fieldName = oneOf("Accept", "x-a", "COOKIE", "X-Odd_Name!", "TE", "a", "User-Agent", "Trailer");
const fieldValue = fc.oneof(
  oneOf("", "text/html", "close", "5", "chunked", "\t a \t", "caf\u00e9", '"q,\\"', "a=b; c=d"),
  fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[^\t\x20-\x7e]/g, "~")),
);
const field = fc
  .tuple(fieldName, oneOf(": ", ":", ":\t ", ":  "), fieldValue, oneOf("", " ", "\t"))
  .map((parts) => `${parts.join("")}\r\n`);
const connection = oneOf("", "", "", "Connection: keep-alive\r\n", "connection: x-a, Close\r\n");
const bodyText = fc.string({ maxLength: 40 }).map((text) => Buffer.from(text).toString("latin1"));
const extension = oneOf("", "", "", ";a", ";a=b", ';name="q;\\""', ";a;b=c");

const chunkedBody = fc
  .tuple(
    fc.array(fc.tuple(bodyText, extension, fc.boolean()), { maxLength: 4 }),
    oneOf("", "", "X-T: 1\r\n", "a: b\r\nc:d\r\n"),
  )
  .map(([chunks, trailers]) => {
    const parts = chunks
      .filter(([data]) => data !== "")
      .map(([data, ext, isPadded]) => {
        const size = data.length.toString(16);
        return `${isPadded ? `0${size.toUpperCase()}` : size}${ext}\r\n${data}\r\n`;
      });
    return `${parts.join("")}0\r\n${trailers}\r\n`;
  });

const framing = fc.oneof(
  fc.constant({ head: "", body: "" }),
  bodyText.map((body) => ({ head: `Content-Length: ${body.length}\r\n`, body })),
  bodyText.map((body) => ({ head: `content-length:00${body.length} \r\n`, body })),
  chunkedBody.map((body) => ({ head: "Transfer-Encoding: chunked\r\n", body })),
  chunkedBody.map((body) => ({ head: "transfer-encoding:\tChunked \r\n", body })),
);

const request = fc
  .tuple(requestLine, fc.array(field, { maxLength: 4 }), connection, framing, oneOf("", "", "", "\r\n"))
  .map(([line, fields, persistence, { head, body }, before]) => {
    // HTTP/1.0 has no chunks: ours refuses what node:http reads.
    const start = head.toLowerCase().startsWith("transfer") ? line.replace("HTTP/1.0", "HTTP/1.1") : line;
    return `${before}${start}\r\nHost: a.example\r\n${fields.join("")}${persistence}${head}\r\n${body}`;
  });

const session = fc
  .array(request, { minLength: 1, maxLength: 4 })
  .map((requests) => Buffer.from(requests.join(""), "latin1"));

/** Small injuries of the kind that parsers disagree about. */
const injury = fc.tuple(
  fc.nat(),
  oneOf("\r", "\n", "\r\n", " ", "\t", "\0", ":", "0", "\x0b", "\r\n ", "\xff", ";", ",", "", "", "+", "-", "0x", "_"),
  fc.nat({ max: 2 }),
);

const injured = fc.tuple(session, fc.array(injury, { minLength: 1, maxLength: 3 })).map(([bytes, injuries]) => {
  let text = bytes.toString("latin1");
  for (const [place, inserted, removed] of injuries) {
    const at = place % (text.length + 1);
    text = text.slice(0, at) + inserted + text.slice(at + removed);
  }
  return Buffer.from(text, "latin1");
});

test(
  `what our parser reads, node:http reads alike (seed ${seed})`,
  async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(session, async (bytes) => {
        const ours = readWithOurs([bytes]);
        expect(ours.fault).toBe(null);
        expect(await readWithNode(bytes)).toEqual(ours.requests);
        read += ours.requests.length;
      }),
      { seed, numRuns },
    );
    expect(read).toBeGreaterThan(numRuns);
  },
  timeoutMs,
);

test(
  `of injured sessions ours accepts nothing that node:http reads otherwise (seed ${seed})`,
  async () => {
    let [accepted, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(injured, async (bytes) => {
        const ours = readWithOurs([bytes]);
        const node = await readWithNode(bytes);
        if (ours.fault === null) accepted++;
        else refused++;
        // A method that node:http does not know, and an absolute or missing target: it stops where ours goes on, or the other way round.
        const comparable = ours.requests.slice(0, node.length);
        expect(comparable).toEqual(node.slice(0, comparable.length));
        if (ours.requests.length > node.length)
          expect(isKnownToNode(ours.requests[node.length]?.method ?? "")).toBe(false);
      }),
      { seed, numRuns },
    );
    // A generator that injures nothing, or everything, would prove nothing.
    expect(accepted).toBeGreaterThan(numRuns * 0.1);
    expect(refused).toBeGreaterThan(numRuns * 0.3);
  },
  timeoutMs,
);

test(
  `where the stream is cut does not matter (seed ${seed})`,
  () => {
    fc.assert(
      fc.property(fc.oneof(session, injured), fc.array(fc.nat(), { maxLength: 6 }), (bytes, cuts) => {
        const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((left, right) => left - right);
        const pieces = [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
        // Of two faults in one head it is the reads that decide which is seen first.
        const readWhole = (read: readonly Buffer[]) => ({
          ...readWithOurs(read),
          fault: readWithOurs(read).fault !== null,
        });
        const whole = readWhole([bytes]);
        expect(readWhole(pieces)).toEqual(whole);
        expect(readWhole(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(whole);
      }),
      { seed, numRuns },
    );
  },
  timeoutMs,
);

function isKnownToNode(method: string): boolean {
  return ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"].includes(method);
}
