import { expect, test } from "vitest";
import { LastHead } from "../../src/codec/last-head.ts";

test("what was made of a head is found by the same status and fields only", () => {
  const last = new LastHead<string>();
  const headers = ["server", "nginx", "date", "today"];
  expect(last.find(200, headers)).toBe(null);
  expect(last.keep(200, headers, "made")).toBe("made");
  expect(last.find(200, [...headers])).toBe("made");
  expect(last.find(404, headers)).toBe(null);
  expect(last.find(200, ["server", "nginx"])).toBe(null);
  expect(last.find(200, [...headers, "vary", "*"])).toBe(null);
  expect(last.find(200, ["server", "nginx", "date", "tomorrow"])).toBe(null);
});
