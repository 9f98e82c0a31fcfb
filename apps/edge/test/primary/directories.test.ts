import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareAccessLog } from "../../src/primary/access-log-file.ts";
import { prepareStateDirectory, userId } from "../../src/primary/directories.ts";

let base = "";

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "sluice-test-"));
});

afterEach(async () => await rm(base, { recursive: true }));

describe("the state directory of an edge", () => {
  it("is made with everything above it, for this user only", async () => {
    const path = join(base, "a", "b", "state");
    await prepareStateDirectory(path);
    await prepareStateDirectory(path);
    for (const made of [path, join(base, "a")]) expect((await stat(made)).mode & 0o777).toBe(0o700);
  });

  it("is refused by its name where others may write", async () => {
    await chmod(base, 0o777);
    await expect(prepareStateDirectory(base)).rejects.toThrow(`state.directory: other users may write to ${base}`);
  });

  // Root may write everywhere.
  it.skipIf(userId === 0)("is refused by its name where this user may not write", async () => {
    await chmod(base, 0o500);
    await expect(prepareStateDirectory(base)).rejects.toThrow(
      `state.directory: ${base} cannot be made or written to: EACCES`,
    );
  });

  it("is refused, not waited for, where no directory can be made", async () => {
    await expect(prepareStateDirectory("/proc/sluice/state")).rejects.toThrow(
      "state.directory: /proc/sluice/state cannot be made or written to: ENOENT",
    );
  });
});

it("an access log below /proc is refused, not waited for", async () => {
  await expect(prepareAccessLog("/proc/sluice/access.log")).rejects.toThrow(
    "edge.accessLog.path: /proc/sluice/access.log cannot be written: ENOENT",
  );
});
