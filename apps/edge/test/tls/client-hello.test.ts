import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { maxClientHelloBytes, parseClientHello } from "../../src/tls/client-hello.ts";
import { captureClientHello } from "./capture-client-hello.ts";

let hello: Buffer;

beforeAll(async () => {
  hello = await captureClientHello({ servername: "a.example", ALPNProtocols: ["h2", "http/1.1"] });
});

const expected = { kind: "complete", hello: { serverName: "a.example", alpn: ["h2", "http/1.1"] } };

/** The handshake message cut into records of these many bytes, the last one repeating. */
function inRecords(sizes: readonly number[], message = hello.subarray(5)): Buffer {
  const records: Buffer[] = [];
  for (let at = 0, i = 0; at < message.length; i++) {
    const body = message.subarray(at, at + (sizes[Math.min(i, sizes.length - 1)] ?? message.length));
    records.push(Buffer.from([22, 3, 1, body.length >> 8, body.length & 255]), body);
    at += body.length;
  }
  return Buffer.concat(records);
}

function withExtensions(...extensions: readonly (readonly [type: number, data: Buffer])[]): Buffer {
  const encoded = extensions.map(([type, data]) => Buffer.concat([u16(type), u16(data.length), data]));
  const block = Buffer.concat(encoded);
  const body = Buffer.concat([Buffer.alloc(34), Buffer.from([0, 0, 2, 19, 1, 1, 0]), u16(block.length), block]);
  return inRecords([16_384], Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]));
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

function serverName(name: string, type = 0): readonly [number, Buffer] {
  const bytes = Buffer.from(name, "latin1");
  return [0, Buffer.concat([u16(bytes.length + 3), Buffer.from([type]), u16(bytes.length), bytes])];
}

test("Node's ClientHello gives its server name and protocols", () => {
  expect(parseClientHello(hello)).toEqual(expected);
});

test("a ClientHello without these extensions gives neither", async () => {
  const bare = await captureClientHello({});
  expect(parseClientHello(bare)).toEqual({ kind: "complete", hello: { serverName: null, alpn: [] } });
});

test.each([["-tls1_2"], ["-tls1_3"]])("the ClientHello of openssl s_client %s is read", async (version) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = execFile("openssl", [
    "s_client",
    "-connect",
    target,
    "-servername",
    "B.example.",
    "-alpn",
    "h2",
    version,
  ]);
  client.on("error", () => undefined);
  const [socket] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  expect(parseClientHello(bytes)).toEqual({ kind: "complete", hello: { serverName: "B.example.", alpn: ["h2"] } });
  socket.destroy();
  server.close();
  await once(client, "exit");
});

test("every part of a ClientHello is incomplete, the whole is complete", () => {
  for (let end = 0; end < hello.length; end++) {
    expect(parseClientHello(hello.subarray(0, end))).toEqual({ kind: "incomplete" });
  }
  expect(parseClientHello(Buffer.concat([hello, Buffer.from("more")]))).toEqual(expected);
});

test("however it is cut into records, the result is the same", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }), (sizes) => {
      fc.pre(hello.length / (sizes.at(-1) ?? 1) < 100);
      const bytes = inRecords(sizes);
      expect(parseClientHello(bytes)).toEqual(expected);
      expect(parseClientHello(bytes.subarray(0, -1))).toEqual({ kind: "incomplete" });
    }),
    { numRuns: 200 },
  );
});

test("one byte in each record is refused: only an attack does that", () => {
  expect(parseClientHello(inRecords([1]))).toEqual({ kind: "refused", reason: "client_hello_too_large" });
});

test("whatever bytes change, it never throws and never reads past the end", () => {
  const change = fc.tuple(fc.nat(hello.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.nat(hello.length), (changes, end) => {
      const bytes = Buffer.from(hello);
      for (const [at, value] of changes) bytes[at] = value;
      expect(["complete", "incomplete", "refused"]).toContain(parseClientHello(bytes.subarray(0, end)).kind);
    }),
    { numRuns: 2000 },
  );
});

test("random bytes never throw and are not mistaken for TLS", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const result = parseClientHello(bytes);
      if (bytes[0] !== 22) expect(result).toEqual({ kind: "refused", reason: "not_tls" });
    }),
    { numRuns: 1000 },
  );
});

test("plain HTTP and SSLv2 are no TLS from the first byte on", () => {
  for (const first of ["G", "P", "\x80"]) {
    expect(parseClientHello(Buffer.from(first, "latin1"))).toEqual({ kind: "refused", reason: "not_tls" });
  }
});

test("a ClientHello beyond the limit is refused when its length is known, not when it has arrived", () => {
  const start = Buffer.from([22, 3, 1, 64, 0, 1, 0, (maxClientHelloBytes >> 8) & 255, 0]);
  expect(parseClientHello(start)).toEqual({ kind: "refused", reason: "client_hello_too_large" });
});

describe("two opinions about the name are refused", () => {
  test.each<[string, () => Buffer]>([
    ["the extension twice", () => withExtensions(serverName("a.example"), serverName("b.example"))],
    ["two names in one extension", () => withExtensions([0, Buffer.from("\0\x08\0\0\x01a\0\0\x01b", "latin1")])],
    ["an empty name", () => withExtensions(serverName(""))],
    ["a name that is no host name", () => withExtensions(serverName("a", 1))],
    ["a list longer than its extension", () => withExtensions([0, Buffer.from("\0\x09\0\0\x01a", "latin1")])],
    ["an empty extension", () => withExtensions([0, Buffer.alloc(0)])],
    ["protocols twice", () => withExtensions([16, Buffer.from("\0\x03\x02h2")], [16, Buffer.from("\0\x03\x02h2")])],
    ["an empty protocol", () => withExtensions([16, Buffer.from("\0\x01\0")])],
    ["an empty record in the middle", () => Buffer.concat([hello.subarray(0, 3), Buffer.from([0, 0]), hello])],
  ])("%s", (_claim, bytes) => {
    expect(parseClientHello(bytes())).toEqual({ kind: "refused", reason: "malformed_client_hello" });
  });

  test("while a single name is taken as it is", () => {
    const result = parseClientHello(withExtensions([10, Buffer.alloc(4)], serverName("a\0b")));
    expect(result).toEqual({ kind: "complete", hello: { serverName: "a\0b", alpn: [] } });
  });
});
