import { mkdir, mkdtemp, open, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { signatureOf } from "../src/source/signature.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { Watched } from "./support/watched.ts";

describe("a watched directory", () => {
  it("is read whole at start: nested files in order, other files and hidden ones left out", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.at("nested"));
    await mkdir(directory.at(".git"));
    for (const name of [
      "b.yml",
      "a.yaml",
      "nested/c.json",
      "README.md",
      ".git/x.yaml",
      ".a.yaml.swp",
      "a.yaml~",
      "4913",
    ]) {
      await writeFile(directory.at(name), name);
    }
    await symlink("nobody@host:1", directory.at(".#a.yaml"));
    await using watched = await Watched.start(directory.path);
    expect(watched.last?.texts.map(({ file }) => file)).toEqual([
      directory.at("a.yaml"),
      directory.at("b.yml"),
      directory.at("nested/c.json"),
    ]);
    expect(watched.last?.problems).toEqual([]);
  });

  it("notices a file written in place", async () => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.at("a.yaml"), "one");
    await using watched = await Watched.start(directory.path);
    await writeFile(directory.at("a.yaml"), "two");
    await watched.untilTexts("two");
  });

  it("notices the second half of a file written in two halves", async () => {
    await using directory = await temporaryDirectory();
    await using watched = await Watched.start(directory.path);
    await using file = await open(directory.at("a.yaml"), "w");
    await file.write("one ");
    await watched.untilTexts("one ");
    await file.write("two");
    await watched.untilTexts("one two");
  });

  it("notices an editor's rename over the file, again and again", async () => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.at("a.yaml"), "0");
    await using watched = await Watched.start(directory.path);
    for (const text of ["1", "2", "3"]) {
      await writeFile(directory.at("4913"), text);
      await rename(directory.at("4913"), directory.at("a.yaml"));
      await watched.untilTexts(text);
    }
  });

  it("notices files and directories that move, and watches them in their new place", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.at("old"));
    await writeFile(directory.at("old/a.yaml"), "a");
    await using watched = await Watched.start(directory.path);
    await rename(directory.at("old"), directory.at("new"));
    const snapshot = await watched.until(({ texts }) => texts[0]?.file === directory.at("new/a.yaml"));
    expect(snapshot.texts).toHaveLength(1);
    await writeFile(directory.at("new/a.yaml"), "changed");
    await watched.untilTexts("changed");
  });

  it("notices files in a directory made after the start", async () => {
    await using directory = await temporaryDirectory();
    await using watched = await Watched.start(directory.path);
    await mkdir(directory.at("x/y"), { recursive: true });
    await writeFile(directory.at("x/y/a.yaml"), "deep");
    await watched.untilTexts("deep");
    await writeFile(directory.at("x/y/a.yaml"), "deeper");
    await watched.untilTexts("deeper");
  });

  it("is empty, without a problem, when everything in it was deleted", async () => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.at("a.yaml"), "a");
    await using watched = await Watched.start(directory.path);
    await unlink(directory.at("a.yaml"));
    expect((await watched.untilTexts()).problems).toEqual([]);
  });

  it("is a problem when it is gone itself, and is read again when it is back", async () => {
    await using directory = await temporaryDirectory();
    const root = directory.at("config");
    for (const text of ["first", "second", "third"]) {
      await mkdir(root);
      await writeFile(join(root, "a.yaml"), text);
      await using watched = await Watched.start(root);
      await watched.untilTexts(text);
      await rm(root, { recursive: true });
      const gone = await watched.until(({ problems }) => problems.length > 0);
      expect(gone.problems).toMatchObject([{ file: root, code: "unreadable-file", severity: "error" }]);
      await mkdir(root);
      await writeFile(join(root, "a.yaml"), `${text} again`);
      await watched.untilTexts(`${text} again`);
      await rm(root, { recursive: true });
    }
  });

  it("follows the swap of a Kubernetes mount, and reads each file once", async () => {
    await using directory = await temporaryDirectory();
    const publish = async (text: string) => {
      const data = await mkdtemp(directory.at("..2026_"));
      await writeFile(join(data, "a.yaml"), text);
      await symlink(data, directory.at("..data_tmp"));
      await rename(directory.at("..data_tmp"), directory.at("..data"));
    };
    await publish("one");
    await symlink("..data/a.yaml", directory.at("a.yaml"));
    await using watched = await Watched.start(directory.path);
    await watched.untilTexts("one");
    for (const text of ["two", "three"]) {
      await publish(text);
      await watched.untilTexts(text);
    }
  });

  it("notices a change of the real file behind a symbolic link", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.at("config"));
    await mkdir(directory.at("elsewhere"));
    await writeFile(directory.at("elsewhere/real"), "one");
    await symlink("../elsewhere/real", directory.at("config/a.yaml"));
    await using watched = await Watched.start(directory.at("config"));
    await writeFile(directory.at("elsewhere/real"), "two");
    await watched.untilTexts("two");
  });

  it("follows links to directories once, whatever loops they form", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.at("config/sub"), { recursive: true });
    await writeFile(directory.at("config/sub/a.yaml"), "a");
    await symlink("../../config", directory.at("config/sub/loop"));
    await symlink("sub", directory.at("config/twin"));
    await using watched = await Watched.start(directory.at("config"));
    expect(watched.last?.texts.map(({ text }) => text)).toEqual(["a"]);
  });

  it("reports a link that leads nowhere and bytes that are no text as errors beside what can be read", async () => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.at("a.yaml"), "a");
    await symlink("nowhere", directory.at("b.yaml"));
    await writeFile(directory.at("c.yaml"), Buffer.from([0x61, 0xff]));
    await using watched = await Watched.start(directory.path);
    expect(watched.last?.texts).toHaveLength(1);
    expect(watched.last?.problems.map(({ file, code, severity }) => ({ file, code, severity }))).toEqual([
      { file: directory.at("b.yaml"), code: "unreadable-file", severity: "error" },
      { file: directory.at("c.yaml"), code: "not-utf-8", severity: "error" },
    ]);
  });

  it("notices changes without events by polling", async () => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.at("a.yaml"), "one");
    // Events are held back for an hour: only the poll is left.
    await using watched = await Watched.start(directory.path, { pollMs: 20, quietMs: 3_600_000, limitMs: 3_600_000 });
    await writeFile(directory.at("a.yaml"), "two");
    await watched.untilTexts("two");
  });

  it("makes one snapshot of a burst", async () => {
    await using directory = await temporaryDirectory();
    await using watched = await Watched.start(directory.path, { quietMs: 200, limitMs: 10_000 });
    const before = watched.snapshots.length;
    for (let i = 0; i < 50; i++) await writeFile(directory.at("a.yaml"), String(i));
    await watched.untilTexts("49");
    expect(watched.snapshots.length - before).toBe(1);
  });

  it("does not wait for ever while events go on", async () => {
    await using directory = await temporaryDirectory();
    await using watched = await Watched.start(directory.path, { quietMs: 3_600_000, limitMs: 50 });
    await writeFile(directory.at("a.yaml"), "a");
    await watched.untilTexts("a");
  });
});

describe("certificate files beside the directory", () => {
  it("cause a snapshot when they change, appear or are replaced", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.at("config"));
    await mkdir(directory.at("certs"));
    const certificate = directory.at("certs/tls.crt");
    await using watched = await Watched.start(directory.at("config"));
    watched.source.watchFiles(new Map([[certificate, await signatureOf(certificate)]]));
    for (const text of ["appears", "changes"]) {
      const next = watched.next();
      await writeFile(certificate, text);
      await next;
    }
    const next = watched.next();
    await writeFile(directory.at("certs/new"), "replaced");
    await rename(directory.at("certs/new"), certificate);
    await next;
  });

  it("cause a snapshot when they changed between their reading and their being watched", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(directory.at("config"));
    await using watched = await Watched.start(directory.at("config"));
    const certificate = directory.at("tls.crt");
    const asRead = await signatureOf(certificate);
    await writeFile(certificate, "written meanwhile");
    const next = watched.next();
    watched.source.watchFiles(new Map([[certificate, asRead]]));
    await next;
  });
});
