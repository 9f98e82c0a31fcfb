import { describe, expect, test } from "vitest";
import { ByteBalance } from "../../src/codec/http2/byte-balance.ts";

const options = { freeFramesPerMinute: 1000, maxSavedBytes: 1_048_576 };
const second = 1000;

/** How many seconds, of at most an hour, a client is served that receives and sends so much of each in every one. */
function secondsServed(receivedBytes: number, usefulBytes: number): number {
  const balance = new ByteBalance(options, 0);
  for (let at = 1; at <= 3600; at++) {
    if (!balance.settle(receivedBytes, usefulBytes, at * second)) return at;
  }
  return Infinity;
}

describe("a client is served that", () => {
  test.each<[string, number, number]>([
    ["says nothing", 0, 0],
    ["sends a PING every second", 17, 0],
    ["reads 10 MB a second and opens its windows every 4 KiB", Math.ceil(10e6 / 4096) * 26, 10e6],
    ["gets 1000 messages of 7 bytes and answers each with two WINDOW_UPDATE and a PING", 43 * 1000, 16 * 1000],
    ["sends 1000 messages of 7 bytes", 16 * 1000, 16 * 1000],
    ["uploads 10 MB a second", 10e6 + 9 * 700, 10e6],
  ])("%s", (_name, receivedBytes, usefulBytes) => {
    expect(secondsServed(receivedBytes, usefulBytes)).toBe(Infinity);
  });
});

test("a client that sends more for nothing than its minute allows is not served for long", () => {
  // Twice the frames that are free.
  expect(secondsServed(2 * 13 * Math.ceil(1000 / 60), 0)).toBeLessThan(90);
  expect(secondsServed(1e6, 0)).toBe(1);
});

test("what a large download has earned does not pay for a flood hours later", () => {
  const balance = new ByteBalance(options, 0);
  expect(balance.settle(0, 1e9, second)).toBe(true);
  expect(balance.settle(2e6, 0, 2 * second)).toBe(false);
});
