import { describe, expect, it } from "vitest";
import { parseDurationMs } from "../../src/model/index.ts";

describe("a duration", () => {
  it.each([
    ["1.5s", 1500],
    ["300ms", 300],
    ["1h30m", 5_400_000],
    ["0s", 0],
    ["0", 0],
    [".5s", 500],
    ["1.s", 1000],
    ["0.1s0.2s", 300],
    ["1us", 0.001],
    ["1µs", 0.001],
    ["100ns", 0.0001],
    ["0.123456789s", 123.456789],
  ])("%s is %d ms", (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
  });

  it.each(["", "1", "s", "-1s", "+1s", "1 s", "1s ", "1d", "1e3s", "1,5s", ".s", "1.2.3s", "1S"])(
    "%j is none",
    (text) => {
      expect(parseDurationMs(text)).toBeNull();
    },
  );
});
