import { expect, test } from "vitest";
import { RandomTexts } from "../../src/proxy/random-texts.ts";
import { newRequestId, traceHeaders } from "../../src/proxy/trace-ids.ts";

/** More than a batch or two. */
const many = 1000;
const noTrace = { traceId: null, spanId: null, sampled: null, b3: null, traceParent: null };

test("request ids are UUIDs of version 4, each another", () => {
  const ids = Array.from({ length: many }, newRequestId);
  expect(new Set(ids).size).toBe(many);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a new trace has one id in all its headers, and no two traces the same", () => {
  const traces = Array.from({ length: many }, () => traceHeaders(noTrace));
  expect(new Set(traces).size).toBe(many);
  for (const lines of traces) {
    const id = /^x-b3-traceid: ([0-9a-f]{16})\r\n/.exec(lines)?.[1];
    expect(lines).toBe(
      `x-b3-traceid: ${id}\r\nx-b3-spanid: ${id}\r\nx-b3-sampled: 1\r\ntraceparent: 00-0000000000000000${id}-${id}-01\r\n`,
    );
  }
});

test("every digit occurs at every place, but for 0 at the first", () => {
  const texts = new RandomTexts("<**%%>");
  const seen = [new Set<string>(), new Set<string>()];
  for (let i = 0; i < many; i++) {
    const [, text = "", again] = /^<(..)(..)>$/.exec(texts.next()) ?? [];
    expect(again).toBe(text);
    for (const [at, digits] of seen.entries()) digits.add(text.charAt(at));
  }
  expect(seen.map(({ size }) => size)).toEqual([15, 16]);
});
