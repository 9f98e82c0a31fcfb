import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { LongestPause } from "../../src/observe/longest-pause.ts";

function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

test("a block of the event loop is told once, and is not told as longer than it was", async () => {
  const longest = new LongestPause();
  await pause(50);
  longest.take();
  await pause(50);
  const startMs = performance.now();
  block(150);
  await pause(50);
  const seconds = longest.take();
  expect(seconds).toBeGreaterThan(0.1);
  expect(seconds).toBeLessThan((performance.now() - startMs) / 1000);
  expect(longest.take()).toBe(0);
  longest.close();
});
