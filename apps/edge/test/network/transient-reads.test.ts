// Reads of accepted sockets into one buffer: that it is one, that what was put back comes first, and that nobody keeps bytes which the next read
// overwrites.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { createAuthority } from "@sluice/demo/certificates";
import { describe, expect, test } from "vitest";
import { readTransiently } from "../../src/network/transient-reads.ts";

const authority = await createAuthority({ commonName: "root" });
const identity = await authority.issue({ commonName: "server", dnsNames: ["a.example"] });
const tlsIdentity = { cert: identity.chainPem, key: identity.keyPem };

/** A pair of connected sockets, and what ends both. */
interface Pair extends AsyncDisposable {
  readonly client: Socket;
  readonly accepted: Socket;
}

async function pair(transport: "tcp" | "tls"): Promise<Pair> {
  const server: Server = transport === "tcp" ? createServer() : createTlsServer(tlsIdentity);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const accepting = once(server, transport === "tcp" ? "connection" : "secureConnection") as Promise<[Socket]>;
  const client =
    transport === "tcp"
      ? connect(port, "127.0.0.1")
      : connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, minVersion: "TLSv1.3" });
  const [accepted] = await accepting;
  for (const socket of [client, accepted]) socket.on("error", () => undefined);
  return {
    client,
    accepted,
    [Symbol.asyncDispose]: async () => {
      for (const socket of [client, accepted]) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads transiently; what has come so far, and the memory that it came in. */
class Reader {
  text = "";
  readonly memories = new Set<ArrayBufferLike>();
  readonly release: () => void;

  constructor(socket: Socket) {
    this.release = readTransiently(socket, (bytes) => {
      this.text += bytes.toString("latin1");
      this.memories.add(bytes.buffer);
    });
    socket.resume();
  }
}

describe.each(["tcp", "tls"] as const)("over %s", (transport) => {
  test("all connections read into the same memory", async () => {
    await using first = await pair(transport);
    await using second = await pair(transport);
    const readers = [new Reader(first.accepted), new Reader(second.accepted)];
    for (const round of ["a", "b"]) {
      first.client.write(round);
      second.client.write(round.toUpperCase());
      await expect.poll(() => readers.map(({ text }) => text.at(-1))).toEqual([round, round.toUpperCase()]);
    }
    expect(readers.map(({ text }) => text)).toEqual(["ab", "AB"]);
    const memories = new Set(readers.flatMap((reader) => [...reader.memories]));
    // Were it not so, Node would have changed what it keeps of `onread`, and every read would cost 64 KiB.
    expect([...memories].map(({ byteLength }) => byteLength)).toEqual([80 * 1024]);
  });

  test("what was put back comes first", async () => {
    await using connected = await pair(transport);
    connected.accepted.pause();
    connected.accepted.unshift(Buffer.from("before "));
    const reader = new Reader(connected.accepted);
    connected.client.write("after");
    await expect.poll(() => reader.text).toBe("before after");
  });

  test("a paused socket hands on nothing, and goes on where it was", async () => {
    await using connected = await pair(transport);
    const reader = new Reader(connected.accepted);
    connected.client.write("1");
    await expect.poll(() => reader.text).toBe("1");
    connected.accepted.pause();
    connected.client.write("x".repeat(32 * 1024 * 1024));
    // Until both kernels' buffers are full.
    await expect
      .poll(async () => {
        const before = connected.client.bytesWritten - connected.client.writableLength;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return connected.client.bytesWritten - connected.client.writableLength - before;
      })
      .toBe(0);
    expect(reader.text.length).toBe(1);
    connected.accepted.resume();
    await expect.poll(() => reader.text.length, { timeout: 10_000 }).toBe(1 + 32 * 1024 * 1024);
  });

  test("a socket that pauses itself inside the callback hands on nothing more", async () => {
    await using connected = await pair(transport);
    let received = 0;
    readTransiently(connected.accepted, (bytes) => {
      received += bytes.length;
      connected.accepted.pause();
    });
    connected.accepted.resume();
    connected.client.write("x".repeat(4 * 1024 * 1024));
    await expect.poll(() => received).toBeGreaterThan(0);
    const receivedAtOnce = received;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(received).toBe(receivedAtOnce);
  });

  test("the end, and a reset, are told", async () => {
    await using ending = await pair(transport);
    const reader = new Reader(ending.accepted);
    const ended = once(ending.accepted, "end");
    ending.client.end("bye");
    await ended;
    expect(reader.text).toBe("bye");
    await using breaking = await pair(transport);
    readTransiently(breaking.accepted, () => undefined);
    breaking.accepted.resume();
    const closed = once(breaking.accepted, "close");
    breaking.client.destroy();
    await closed;
  });

  test("released, it is a stream again: what nobody reads yet is kept, and not in the shared memory", async () => {
    await using connected = await pair(transport);
    await using other = await pair(transport);
    const reader = new Reader(connected.accepted);
    const overwriting = new Reader(other.accepted);
    connected.client.write("1");
    await expect.poll(() => reader.text).toBe("1");
    connected.accepted.pause();
    reader.release();
    connected.accepted.read(0);
    connected.client.write("kept");
    await expect.poll(() => connected.accepted.readableLength).toBe(4);
    other.client.write("XXXXXXXX");
    await expect.poll(() => overwriting.text).toBe("XXXXXXXX");
    const pieces: string[] = [];
    connected.accepted.on("data", (chunk: Buffer) => pieces.push(chunk.toString("latin1")));
    connected.accepted.resume();
    connected.client.write(" and gone on");
    await expect.poll(() => pieces.join("")).toBe("kept and gone on");
    expect(reader.text).toBe("1");
  });
});

test("a socket that cannot be told of a buffer is read as a stream", async () => {
  await using connected = await pair("tcp");
  const { _handle: handle } = connected.accepted as unknown as { _handle: { useUserBuffer: unknown } };
  handle.useUserBuffer = undefined;
  const reader = new Reader(connected.accepted);
  connected.client.write("all the same");
  await expect.poll(() => reader.text).toBe("all the same");
  reader.release();
  expect(connected.accepted.listenerCount("data")).toBe(0);
});
