// Programs that the bench runs to their end, or does not.
import { expect, test } from "vitest";
import { Processes } from "../src/load/processes.ts";

const options = { cores: "0", signal: new AbortController().signal };

test("what a program printed is the result", async () => {
  const output = await new Processes().run("echo", ["done"], { ...options, limitMs: 60_000 });
  expect(output).toBe("done\n");
});

test("a program that fails is named with what it complained of", async () => {
  const run = new Processes().run("sh", ["-c", "echo no such host >&2; exit 1"], { ...options, limitMs: 60_000 });
  await expect(run).rejects.toThrow(/^sh -c .* failed: no such host\n$/);
});

test("a program that does not end in time is ended, and named", async () => {
  const run = new Processes().run("sleep", ["600"], { ...options, limitMs: 100 });
  await expect(run).rejects.toThrow("sleep 600 did not end within 0.1 s");
});
