import { chmod, mkdir, stat, symlink } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { prepareDirectories } from "../src/publish/directories.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const inState = { path: "", ownDirectory: null };

describe("the directories of the control socket", () => {
  it("are made for this user only", async () => {
    await using base = await temporaryDirectory();
    const ownDirectory = base.at("socket");
    await prepareDirectories(base.at("a", "state"), { path: "", ownDirectory });
    for (const path of [base.at("a", "state"), ownDirectory]) expect((await stat(path)).mode & 0o777).toBe(0o700);
    await prepareDirectories(base.at("a", "state"), { path: "", ownDirectory });
  });

  it("are refused when others may write to the state directory", async () => {
    await using base = await temporaryDirectory();
    await chmod(base.path, 0o1777);
    await expect(prepareDirectories(base.path, inState)).rejects.toThrow(`other users may write to ${base.path}`);
  });

  it("are refused when somebody has made the one among temporary files before, open or as a link", async () => {
    await using base = await temporaryDirectory();
    const [open, link] = [base.at("open"), base.at("link")];
    await mkdir(open);
    await chmod(open, 0o755);
    await mkdir(base.at("target"), 0o700);
    await symlink(base.at("target"), link);
    const prepare = async (ownDirectory: string) =>
      await prepareDirectories(base.at("state"), { path: "", ownDirectory });
    await expect(prepare(open)).rejects.toThrow(`${open} is open to other users; remove it`);
    await expect(prepare(link)).rejects.toThrow(`${link} is no directory; remove it`);
  });

  it("are refused, not waited for, where no directory can be made", async () => {
    await expect(prepareDirectories("/proc/sluice/state", inState)).rejects.toThrow(
      "state.directory: /proc/sluice/state cannot be made or written to: ENOENT",
    );
  });
});
