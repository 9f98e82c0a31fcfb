import { onTestFinished, expect, test } from "vitest";
import { pieceBytes, pieceSize } from "../../src/exchange/piece-size.ts";
import { releaseReadBuffer, takeReadBuffer } from "../../src/upstream/read-buffers.ts";
import { RecordedExchange } from "./recorded-exchange.ts";
import { World } from "./raw-server.ts";

const mebibyte = 1024 * 1024;
const allowedMebibytes = 64;

/** Mebibytes that may still be reserved. */
function left(): number {
  const taken: Buffer[] = [];
  for (let size = mebibyte; size === mebibyte;) {
    const buffer = takeReadBuffer(pieceSize.large);
    size = buffer.length;
    taken.push(buffer);
  }
  for (const buffer of taken) releaseReadBuffer(buffer);
  return taken.length - 1;
}

/** A response of 8 MiB whose client stops at the first large piece. */
async function stalled(world: World): Promise<RecordedExchange> {
  const before = left();
  const index = world.server.connections.length;
  const exchange = RecordedExchange.send(world.pool, {}, pieceSize.large);
  const upstream = await world.server.connection(index);
  await upstream.request();
  let pieces = 0;
  exchange.during = (call) => {
    if (call.startsWith("data") && left() < before && pieces++ > 0) exchange.stream.pause();
  };
  upstream.socket.on("error", () => undefined);
  upstream.socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${8 * mebibyte}\r\n\r\n`);
  upstream.socket.write(Buffer.alloc(8 * mebibyte));
  await expect.poll(() => exchange.stream.isPaused).toBe(true);
  return exchange;
}

test("a response that fills its pieces reserves a large one, until it is over", async () => {
  await using world = await World.start();
  expect(left()).toBe(allowedMebibytes);
  const exchange = await stalled(world);
  expect(left()).toBe(allowedMebibytes - 1);
  exchange.during = null;
  exchange.stream.resume();
  await exchange.settled();
  expect(exchange.body.length).toBe(8 * mebibyte);
  await expect.poll(left).toBe(allowedMebibytes);
});

test("a client that leaves while it is behind holds nothing any more", async () => {
  await using world = await World.start();
  const exchange = await stalled(world);
  exchange.stream.abort();
  expect(left()).toBe(allowedMebibytes);
});

test("when all that may be is reserved, everybody's pieces are small", async () => {
  const taken = Array.from({ length: allowedMebibytes }, () => takeReadBuffer(pieceSize.large));
  onTestFinished(() => taken.forEach(releaseReadBuffer));
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, {}, pieceSize.large);
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${4 * mebibyte}\r\n\r\n`);
  upstream.socket.write(Buffer.alloc(4 * mebibyte));
  const calls = await exchange.settled();
  const sizes = calls.filter((call) => call.startsWith("data")).map((call) => Number(call.split(" ")[1]));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(pieceBytes[pieceSize.small]);
});
