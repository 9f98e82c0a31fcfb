// 200 MB through a slow reader, both ways: what is buffered on the way is bounded, and every byte arrives.
import { expect, test } from "vitest";
import { RecordedExchange } from "./recorded-exchange.ts";
import { World } from "./raw-server.ts";

const totalBytes = 200 * 1024 * 1024;
const block = Buffer.alloc(1024 * 1024, "0123456789abcdef");
/** One read of the response, or the high water mark of the socket and one chunk more. */
const maxBufferedBytes = 256 * 1024;

test("a response to a slow client is held back in the upstream, not in memory", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const { stream } = exchange;
  const upstream = await world.server.connection(0);
  await upstream.request();
  let receivedBytes = 0;
  let maxSeen = 0;
  exchange.onUpstreamFlush = () => {};
  let dataCalls = 0;
  exchange.onUpstreamData = (chunk) => {
    if (chunk[0] !== block[receivedBytes % 16]) throw new Error("bytes out of order");
    receivedBytes += chunk.length;
    if (dataCalls++ % 50 !== 0) return;
    stream.pause();
    setImmediate(() => {
      maxSeen = Math.max(maxSeen, stream.bufferedBytes);
      stream.resume();
    });
  };
  upstream.socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n`);
  // Many small chunks, so that a pause falls into the middle of a read.
  const frames = Buffer.from(`400\r\n${block.toString("latin1", 0, 1024)}\r\n`.repeat(1024), "latin1");
  let sentBytes = 0;
  const pump = (): void => {
    while (sentBytes < totalBytes) {
      sentBytes += block.length;
      if (!upstream.socket.write(frames)) {
        upstream.socket.once("drain", pump);
        return;
      }
    }
    upstream.socket.write("0\r\n\r\n");
  };
  pump();
  expect((await exchange.settled()).at(-1)).toBe("end");
  expect(receivedBytes).toBe(totalBytes);
  expect(maxSeen).toBeGreaterThan(0);
  expect(maxSeen).toBeLessThanOrEqual(maxBufferedBytes);
});

test("a request to a slow upstream is held back in the client, not in memory", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, {
    method: "POST",
    body: "length",
    fields: `content-length: ${totalBytes}\r\n`,
  });
  const { stream } = exchange;
  const upstream = await world.server.connection(0);
  await upstream.request();
  let receivedBytes = 0;
  upstream.socket.removeAllListeners("data");
  upstream.socket.on("data", (chunk: Buffer) => {
    if (chunk[0] !== block[receivedBytes % 16]) throw new Error("bytes out of order");
    receivedBytes += chunk.length;
    upstream.socket.pause();
    setImmediate(() => upstream.socket.resume());
    if (receivedBytes === totalBytes) upstream.socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  const piece = block.subarray(0, 64 * 1024);
  let sentBytes = 0;
  let maxSeen = 0;
  const pump = (): void => {
    while (sentBytes < totalBytes) {
      sentBytes += piece.length;
      const mayGoOn = stream.write(piece);
      maxSeen = Math.max(maxSeen, stream.bufferedBytes);
      if (!mayGoOn) return;
    }
    stream.end();
  };
  exchange.onUpstreamDrain = pump;
  pump();
  expect(await exchange.settled()).toEqual(["head 200", "end"]);
  expect(receivedBytes).toBe(totalBytes);
  expect(maxSeen).toBeGreaterThan(0);
  expect(maxSeen).toBeLessThanOrEqual(maxBufferedBytes);
});
