// The cases of test/support/http2-cases.ts on the state machine itself; a story puts them to a whole gateway.
import { isGoAwayFrame, preface, settings } from "@sluice/http2-frames";
import { describe, expect, test } from "vitest";
import { http2Cases } from "../../../../test/support/http2-cases.ts";
import { SessionDriver, type TestStream } from "./session-driver.ts";

const answer =
  (driver: () => SessionDriver) =>
  (stream: TestStream): void =>
    driver().respond(stream, "hello");

function drive({ bytes, isRaw, later }: (typeof http2Cases)[number], cut: (bytes: Buffer) => Buffer[]): SessionDriver {
  const waiting: TestStream[] = [];
  const driver: SessionDriver = new SessionDriver((stream) => waiting.push(stream));
  const all = isRaw ? bytes : Buffer.concat([preface, settings(), bytes]);
  driver.receive(...cut(all));
  // As a gateway would, after its upstream has: whatever the client said in the meantime came first.
  for (const stream of waiting) answer(() => driver)(stream);
  driver.turn();
  if (later !== null) driver.receive(...cut(later));
  driver.turn();
  return driver;
}

describe("RFC 9113 and RFC 7541", () => {
  test.each(http2Cases.map((entry) => [entry.section, entry.claim, entry] as const))(
    "%s: %s",
    (_section, _claim, entry) => {
      const driver = drive(entry, (bytes) => [bytes]);
      expect(entry.outcome(driver.frames)).toBe("met");
      // Nothing may follow a GOAWAY of ours for a fault, and a fault is always told.
      expect(driver.frames.findIndex(isGoAwayFrame)).toBe(driver.fault === null ? -1 : driver.frames.length - 1);
      const bytewise = drive(entry, (bytes) => Array.from(bytes, (byte) => Buffer.of(byte)));
      expect(entry.outcome(bytewise.frames)).toBe("met");
    },
  );
});
