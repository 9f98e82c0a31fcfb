import { expect, test } from "vitest";
import { pieceBytes, pieceSize } from "../../src/exchange/piece-size.ts";
import { addStalled, readBuffer } from "../../src/upstream/read-buffers.ts";
import { RecordedExchange } from "./recorded-exchange.ts";
import { World } from "./raw-server.ts";

const mebibyte = 1024 * 1024;
const large = (): number => readBuffer(pieceSize.large).length;

test("clients that do not keep up hold so much of large pieces, and everybody's are small until they have gone on", async () => {
  await using world = await World.start();
  // All but a byte of what others may hold.
  const others = 32 * mebibyte - 1;
  addStalled(others);
  try {
    const exchange = RecordedExchange.send(world.pool, {}, pieceSize.large);
    const upstream = await world.server.connection(0);
    await upstream.request();
    exchange.during = () => exchange.stream.pause();
    upstream.socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${4 * mebibyte}\r\n\r\n`);
    await exchange.next("head");
    exchange.during = null;
    exchange.stream.resume();
    exchange.during = (call) => {
      if (call.startsWith("data")) exchange.stream.pause();
    };
    upstream.socket.write(Buffer.alloc(4 * mebibyte));
    await expect
      .poll(() => {
        // Small pieces are not counted.
        if (large() === pieceBytes[pieceSize.large]) exchange.stream.resume();
        return large();
      })
      .toBe(pieceBytes[pieceSize.small]);
    exchange.during = null;
    exchange.stream.resume();
    await exchange.settled();
    expect([exchange.body.length, large()]).toEqual([4 * mebibyte, pieceBytes[pieceSize.large]]);
  } finally {
    addStalled(-others);
  }
});

test("a client that leaves while it is behind holds nothing any more", async () => {
  await using world = await World.start();
  const others = 32 * mebibyte - 1;
  addStalled(others);
  try {
    const exchange = RecordedExchange.send(world.pool, {}, pieceSize.large);
    const upstream = await world.server.connection(0);
    await upstream.request();
    exchange.during = (call) => {
      if (call.startsWith("data")) exchange.stream.pause();
    };
    upstream.socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${4 * mebibyte}\r\n\r\n`);
    upstream.socket.write(Buffer.alloc(4 * mebibyte));
    await expect
      .poll(() => {
        if (large() === pieceBytes[pieceSize.large]) exchange.stream.resume();
        return large();
      })
      .toBe(pieceBytes[pieceSize.small]);
    exchange.stream.abort();
    expect(large()).toBe(pieceBytes[pieceSize.large]);
  } finally {
    addStalled(-others);
  }
});
