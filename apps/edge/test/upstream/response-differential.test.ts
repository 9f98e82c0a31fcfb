// Our response parser against Node's (llhttp) on generated and mutilated responses. Ours may be stricter; what it accepts, Node must
// accept and read the same way: the two disagreeing on where a response ends is what response smuggling is made of.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readWithNode } from "./node-response.ts";
import { parseResponse, type ParsedResponse } from "./parse-response.ts";

const numRuns = Number(process.env["SLUICE_PROPERTY_RUNS"] ?? 3000);

const oneOf = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values);

const fieldName = oneOf(
  "Content-Type",
  "x-a",
  "ETag",
  "Set-Cookie",
  "DATE",
  "X-Odd_Name!",
  "Keep-Alive",
  "Upgrade",
  "TE",
  "a",
);
const fieldValue = fc.oneof(
  oneOf("text/html", "", "close", "keep-alive", "x-a", "5", "chunked", "\t a \t", "caf\u00e9", '"q,\\"'),
  fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[^\t\x20-\x7e]/g, "~")),
);
const field = fc.tuple(fieldName, oneOf(": ", ":", ":\t ", ":  "), fieldValue, oneOf("", " ", "\t"));
const connection = oneOf("", "", "Connection: close\r\n", "connection: keep-alive\r\n", "Connection: x-a, Close\r\n");
const bodyText = fc.string({ maxLength: 40 }).map((text) => Buffer.from(text).toString("latin1"));

const extension = oneOf("", "", "", ";a", ";a=b", ';name="q;\\"\r"'.replace("\r", ""), ";a;b=c");

const chunkedBody = fc
  .tuple(
    fc.array(fc.tuple(bodyText, extension, fc.boolean()), { maxLength: 4 }),
    oneOf("", "", "X-T: 1\r\n", "a: b\r\nc:d\r\n"),
  )
  .map(([chunks, trailers]) => {
    const parts = chunks
      .filter(([data]) => data !== "")
      .map(([data, ext, isUpper]) => {
        const size = data.length.toString(16);
        return `${isUpper ? `0${size.toUpperCase()}` : size}${ext}\r\n${data}\r\n`;
      });
    return `${parts.join("")}0\r\n${trailers}\r\n`;
  });

const framing = fc.oneof(
  bodyText.map((body) => ({ head: `Content-Length: ${body.length}\r\n`, body })),
  bodyText.map((body) => ({ head: `content-length:00${body.length} \r\n`, body })),
  chunkedBody.map((body) => ({ head: "Transfer-Encoding: chunked\r\n", body })),
  bodyText.map((body) => ({ head: "", body })),
);

const statusLine = fc
  .tuple(
    oneOf("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"),
    oneOf("200", "204", "304", "404", "500", "299", "205"),
    oneOf(" OK", " ", "", " Not Found"),
  )
  .map(([version, status, reason]) => `${version} ${status}${reason}\r\n`);

const interim = oneOf("", "", "", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n");

interface Generated {
  text: string;
  method: string;
}

const wellFormed: fc.Arbitrary<Generated> = fc
  .record({
    interim,
    statusLine,
    fields: fc.array(field, { maxLength: 5 }),
    connection,
    framing,
    isFramingFirst: fc.boolean(),
    method: oneOf("GET", "GET", "GET", "HEAD"),
  })
  .map((parts) => {
    const fields = parts.fields.map(([name, colon, value, tail]) => `${name}${colon}${value}${tail}\r\n`).join("");
    const framed = parts.isFramingFirst ? parts.framing.head + fields : fields + parts.framing.head;
    const hasNoBody = parts.method === "HEAD" || /^HTTP\/1\.. (204|304)/.test(parts.statusLine);
    const body = hasNoBody ? "" : parts.framing.body;
    return { text: `${parts.interim}${parts.statusLine}${parts.connection}${framed}\r\n${body}`, method: parts.method };
  });

const poisonBytes = oneOf(
  "\r",
  "\n",
  "\r\n",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  ",",
  "0",
  "1",
  "f",
  "+",
  "-",
  "\x7f",
  "\u00ff",
  "\r\n ",
);
const poisonLine = oneOf(
  "\r\n",
  "0\r\n\r\n",
  "Content-Length: 3\r\n",
  "Content-Length: +3\r\n",
  "Content-Length: 3, 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: xchunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Connection: upgrade\r\nUpgrade: h2c\r\n",
  "HTTP/1.1 200 OK\r\n\r\n",
);

/** Where damage hurts: around the line ends, more often than anywhere. */
interface Place {
  readonly kind: "anywhere" | "beforeLineEnd" | "afterLineEnd";
  /** Fraction of the text. */
  readonly at: number;
}
const place: fc.Arbitrary<Place> = fc.record({
  kind: fc.constantFrom("anywhere", "beforeLineEnd", "afterLineEnd"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
});

interface Mutation {
  readonly place: Place;
  readonly removed: number;
  readonly inserted: string;
}
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ place, removed: fc.constantFrom(0, 0, 1), inserted: poisonBytes }),
  fc.record({ place, removed: fc.integer({ min: 1, max: 12 }), inserted: fc.constant("") }),
  fc.record({
    place: place.map(({ at }): Place => ({ kind: "afterLineEnd", at })),
    removed: fc.constant(0),
    inserted: poisonLine,
  }),
);

function indexOf(text: string, { kind, at }: Place): number {
  const index = Math.floor(at * text.length);
  const lineEnd = kind === "anywhere" ? -1 : text.indexOf("\r\n", index);
  if (lineEnd < 0) return index;
  return kind === "beforeLineEnd" ? lineEnd : lineEnd + 2;
}

function mutate(text: string, change: Mutation): string {
  const index = indexOf(text, change.place);
  return text.slice(0, index) + change.inserted + text.slice(index + change.removed);
}

function split(text: string, cuts: readonly number[]): string[] {
  const positions = [...new Set([0, ...cuts.map((cut) => Math.floor(cut * text.length)), text.length])].toSorted(
    (a, b) => a - b,
  );
  return positions.slice(1).map((end, index) => text.slice(positions[index], end));
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What must be left of Node's headers. */
function endToEnd(headers: readonly string[]): string[] {
  const dropped = new Set([...hopByHop, "content-length"]);
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== "connection") continue;
    for (const name of (headers[i + 1] ?? "").split(",")) dropped.add(name.trim().toLowerCase());
  }
  return headers.filter((_part, index) => !dropped.has(headers[index - (index % 2)] ?? ""));
}

/** Documented differences: places where Node refuses or misreads what RFC 9110 and 9112 define. */
function isKnownDifference(ours: ParsedResponse, text: string, node: unknown): boolean {
  // The same length said twice may be taken as said once (RFC 9110 8.6).
  if (node === "HPE_UNEXPECTED_CONTENT_LENGTH") return text.match(/content-length/gi)?.length !== 1;
  // 204 and 304 never have a body (RFC 9112 6.3 rule 1); llhttp waits for what their head announces.
  return ours.status === 204 || ours.status === 304;
}

test("what our parser accepts, Node accepts and reads the same", { timeout: 600_000 }, async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(
      wellFormed,
      fc.array(mutation, { maxLength: 2 }),
      cuts,
      async ({ text, method }, mutations, at) => {
        const sent = mutations.reduce(mutate, text);
        const ours = parseResponse(split(sent, at), { isHead: method === "HEAD", closes: true });
        if (!ours.isDone) return;
        accepted++;
        // Node gets exactly what we took for the response: were its idea of the end another, it would miss bytes or find too many.
        const taken = sent.slice(0, sent.length - ours.extraBytes);
        const node = await readWithNode(split(taken, at), method);
        if (typeof node === "string" || node.body !== ours.body) {
          if (isKnownDifference(ours, sent, node)) return;
        }
        const { status, headers, body } = ours;
        const want = typeof node === "string" ? node : { ...node, headers: endToEnd(node.headers) };
        expect({ status, headers, body }).toEqual(want);
      },
    ),
    { numRuns },
  );
  // Were nearly everything refused, agreement would mean nothing.
  expect(accepted).toBeGreaterThan(numRuns / 5);
});

test("a well-formed response is accepted however it is cut", () => {
  fc.assert(
    fc.property(wellFormed, cuts, ({ text, method }, at) => {
      fc.pre(!/HTTP\/1\.0[^\0]*transfer-encoding: /i.test(text));
      const options = { isHead: method === "HEAD", closes: true };
      const whole = parseResponse([text], options);
      expect(whole).toMatchObject({ fault: null, isDone: true, extraBytes: 0 });
      expect(parseResponse(split(text, at), options)).toEqual(whole);
    }),
    { numRuns },
  );
});
