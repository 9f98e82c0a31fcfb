import { appendFile, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { EmbeddedStore } from "../src/store/embedded/embedded-store.ts";
import { commitOn, describeResourceStore, resource } from "./support/store-contract.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./support/temporary-directory.ts";

interface Opened extends AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly warnings: string[];
  open(maxLogBytes?: number): Promise<EmbeddedStore>;
}

async function storeDirectory(maxHistory = 10): Promise<Opened> {
  const directory = await temporaryDirectory();
  const warnings: string[] = [];
  const opened: EmbeddedStore[] = [];
  return {
    directory,
    warnings,
    open: async (maxLogBytes) => {
      const bound = maxLogBytes === undefined ? {} : { maxLogBytes };
      const onWarning = (message: string) => void warnings.push(message);
      const store = await EmbeddedStore.open({ directory: directory.at("store"), maxHistory, onWarning, ...bound });
      opened.push(store);
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      for (const store of opened) await store.close().catch(() => {});
      await directory[Symbol.asyncDispose]();
    },
  };
}

for (const [title, maxLogBytes] of [
  ["the embedded store", 1_000_000],
  ["the embedded store, with a snapshot after every version", 1],
] as const) {
  describeResourceStore(title, async (maxHistory) => {
    const world = await storeDirectory(maxHistory);
    const store = await world.open(maxLogBytes);
    const reopen = async () => {
      await store.close();
      return await world.open(maxLogBytes);
    };
    return { store, reopen, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
  });
}

/** Three versions of one resource, closed. Returns the length of the log after each. */
async function threeVersions(world: Opened): Promise<number[]> {
  const store = await world.open();
  const lengths: number[] = [];
  for (let base = 0; base < 3; base++) {
    await store.commit(commitOn(base, { puts: [resource("a", base)] }));
    lengths.push((await stat(world.directory.at("store/log"))).size);
  }
  await store.close();
  return lengths;
}

describe("the embedded store on a disk", () => {
  it("finds the last whole version whatever byte the last write ended at", async () => {
    await using world = await storeDirectory();
    const [, second = 0, third = 0] = await threeVersions(world);
    const whole = await readFile(world.directory.at("store/log"));
    for (let length = second; length <= third; length += length < second + 20 || length > third - 20 ? 1 : 37) {
      await writeFile(world.directory.at("store/log"), whole.subarray(0, length));
      const store = await world.open();
      expect([length, (await store.read()).number]).toEqual([length, length === third ? 3 : 2]);
      await store.commit(commitOn((await store.read()).number, { puts: [resource("b", 1)] }));
      await store.close();
    }
    expect(world.warnings[0]).toContain("1 bytes of a version that was never answered");
  });

  it("takes zeros where the last record should be for an unfinished write, and keeps them beside the log", async () => {
    await using world = await storeDirectory();
    await threeVersions(world);
    await appendFile(world.directory.at("store/log"), Buffer.alloc(4096));
    const store = await world.open();
    expect((await store.read()).number).toBe(3);
    expect((await stat(world.directory.at("store/log.torn"))).size).toBe(4096);
  });

  it("refuses to open when any byte in front of whole records is another one, and leaves the file as it is", async () => {
    await using world = await storeDirectory();
    const [first = 0] = await threeVersions(world);
    const whole = await readFile(world.directory.at("store/log"));
    for (const offset of [0, 4, 5, 8, 12, 16, 40, first - 1]) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(offset) ^ 0x40, offset);
      await writeFile(world.directory.at("store/log"), damaged);
      await expect(world.open(), `byte ${offset}`).rejects.toThrow(
        "store/log is damaged at byte 0, and whole records follow",
      );
      expect(await readFile(world.directory.at("store/log"))).toEqual(damaged);
    }
    await writeFile(world.directory.at("store/log"), whole.subarray(first));
    await expect(world.open()).rejects.toThrow("version 2 does not follow version 0");
  });

  it("refuses a snapshot that is damaged, and a snapshot without its log", async () => {
    await using world = await storeDirectory();
    const store = await world.open(1);
    await store.commit(commitOn(0, { puts: [resource("a", 1)] }));
    await store.close();
    expect((await stat(world.directory.at("store/log"))).size).toBe(0);
    await rm(world.directory.at("store/log"));
    await expect(world.open()).rejects.toThrow("store/log is missing beside its snapshot");
    await writeFile(world.directory.at("store/log"), "");
    await truncate(world.directory.at("store/snapshot"), 100);
    await expect(world.open()).rejects.toThrow("store/snapshot cannot be used: it is damaged");
  });

  it("opens after a crash between the new snapshot and the new log", async () => {
    await using world = await storeDirectory();
    await threeVersions(world);
    const log = await readFile(world.directory.at("store/log"));
    const store = await world.open(1);
    await store.commit(commitOn(3, { puts: [resource("b", 1)] }));
    await store.close();
    await writeFile(world.directory.at("store/log"), log);
    await writeFile(world.directory.at("store/snapshot.tmp"), "half");
    const reopened = await world.open();
    expect((await reopened.read()).number).toBe(4);
    expect(await readdir(world.directory.at("store"))).not.toContain("snapshot.tmp");
  });

  it("is readable by its owner only", async () => {
    await using world = await storeDirectory();
    const store = await world.open(1);
    await store.commit(commitOn(0, { puts: [resource("a", 1)] }));
    await store.close();
    const names = ["store", "store/log", "store/snapshot"];
    const modes = await Promise.all(names.map(async (name) => (await stat(world.directory.at(name))).mode & 0o777));
    expect(modes).toEqual([0o700, 0o600, 0o600]);
  });

  it("is refused to a second ctrl, and not held by a dead one", async () => {
    await using world = await storeDirectory();
    const store = await world.open();
    await expect(world.open()).rejects.toThrow(`another ctrl is running: process ${process.pid} uses the store`);
    await store.close();
    const lock = (pid: number, started: string | null, host: string) =>
      writeFile(world.directory.at("store/lock.7"), JSON.stringify({ pid, started, host }));
    const { hostname } = await import("node:os");
    // Our own number, started at another time: the number was used again.
    await lock(process.pid, "1", hostname());
    await (await world.open()).close();
    await lock(process.pid, null, "elsewhere");
    await expect(world.open()).rejects.toThrow(`process ${process.pid} on elsewhere uses the store`);
    await writeFile(world.directory.at("store/lock.7"), "");
    await expect(world.open()).rejects.toThrow("is no lock of ctrl");
  });

  it("lets one of several that start at once have it", async () => {
    await using world = await storeDirectory();
    await (await world.open()).close();
    const results = await Promise.allSettled([world.open(), world.open(), world.open(), world.open()]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });
});
