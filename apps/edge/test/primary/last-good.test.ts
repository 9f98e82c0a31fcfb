import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretText, type Table } from "@sluice/core/model";
import { diffManifests, encodeFrame, encodeTable } from "@sluice/core/wire";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LastGood } from "../../src/primary/last-good.ts";
import {
  acceptOffer,
  OfferMismatch,
  type TableBytes,
  type TableOffer,
  wholeOffer,
} from "../../src/primary/table-bytes.ts";

const table: Table = {
  listeners: [],
  routeConfigs: [],
  clusters: [],
  secrets: [
    {
      name: "kubernetes://a/b",
      status: "ready",
      reason: "",
      certificateChain: "chain",
      privateKey: new SecretText("key"),
      trustedCa: null,
      crl: null,
    },
  ],
};

function bytesOf(source: Table) {
  return acceptOffer(wholeOffer(encodeTable(source)), null);
}

const saveLastGood = (at: string, saved: TableBytes) => new LastGood(at).save(saved, null);
const loadLastGood = (at: string) => new LastGood(at).load();

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-last-good-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("what is saved is read back, and only its owner can read it", async () => {
  const saved = bytesOf(table);
  await saveLastGood(join(directory, "state"), saved);
  const loaded = await loadLastGood(join(directory, "state"));
  expect(loaded?.version).toBe(saved.version);
  expect(loaded?.decoded.table.secrets[0]?.privateKey?.reveal()).toBe("key");
  expect((await stat(join(directory, "state/last-good.table"))).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, "state"))).mode & 0o777).toBe(0o700);
});

test("none is none", async () => {
  expect(await loadLastGood(directory)).toBeNull();
});

test("a damaged one is an error, never a table", async () => {
  await saveLastGood(directory, bytesOf(table));
  const path = join(directory, "last-good.table");
  const bytes = await readFile(path);
  const at = bytes.indexOf("chain");
  bytes.write("chaos", at);
  await writeFile(path, bytes);
  await expect(loadLastGood(directory)).rejects.toThrow(/other bytes than its digest/);
});

test.each([
  ["empty", () => Buffer.alloc(0)],
  ["cut short", (bytes: Buffer) => bytes.subarray(0, -1)],
  ["cut in its header", (bytes: Buffer) => bytes.subarray(0, 3)],
  ["followed by a frame of something else", (bytes: Buffer) => Buffer.concat([bytes, encodeFrame({ type: "alive" })])],
  ["twice", (bytes: Buffer) => Buffer.concat([bytes, bytes])],
])("one that is %s is damaged, not missing", async (_, damage) => {
  await saveLastGood(directory, bytesOf(table));
  const path = join(directory, "last-good.table");
  await writeFile(path, damage(await readFile(path)));
  await expect(loadLastGood(directory)).rejects.toThrow(/something other than one table/);
});

test("a delta without the table it builds on is no table", async () => {
  const { version, manifest } = encodeTable(table);
  const file = join(directory, "last-good.table");
  await writeFile(file, encodeFrame({ type: "commit", version, base: "v", put: manifest, remove: [], resources: [] }));
  await expect(loadLastGood(directory)).rejects.toThrow(/something other than one table/);
});

describe("what changed since", () => {
  const secretOf = (name: string) => ({ ...(table.secrets[0] as Table["secrets"][0]), name });
  /** Tables, each with one secret more than the one before, and the offers that lead from one to the next. */
  const tables = ["b", "c", "d"].map((_, index, names) =>
    bytesOf({ ...table, secrets: [...table.secrets, ...names.slice(0, index).map(secretOf)] }),
  ) as [TableBytes, TableBytes, TableBytes];
  const offerTo = (index: 1 | 2): TableOffer => {
    const [from, to] = [tables[index === 1 ? 0 : 1], tables[index]];
    const delta = diffManifests(from.manifest, to.manifest);
    const resources = delta.put.map(({ digest }) => [digest, to.resources.get(digest) ?? new Uint8Array()] as const);
    return { version: to.version, base: from.version, ...delta, resources };
  };
  const path = () => join(directory, "last-good.table");

  async function savedWithChanges(): Promise<LastGood> {
    const file = new LastGood(directory);
    await file.save(tables[0], null);
    await file.save(tables[1], offerTo(1));
    await file.save(tables[2], offerTo(2));
    return file;
  }

  test("is written behind the table, read back with it, and goes on after a restart", async () => {
    const whole = new LastGood(directory);
    await whole.save(tables[0], null);
    const { ino, size } = await stat(path());
    await whole.save(tables[1], offerTo(1));
    const restarted = new LastGood(directory);
    expect((await restarted.load())?.version).toBe(tables[1].version);
    await restarted.save(tables[2], offerTo(2));
    const after = await stat(path());
    expect([after.ino, after.mode & 0o777]).toEqual([ino, 0o600]);
    expect(after.size).toBeGreaterThan(size);
    const loaded = await loadLastGood(directory);
    expect([loaded?.version, loaded?.decoded.table.secrets.length]).toEqual([tables[2].version, 3]);
  });

  test("is not written again when the same table is accepted once more", async () => {
    const file = await savedWithChanges();
    const { mtimeMs, size } = await stat(path());
    await file.save(tables[2], null);
    expect(await stat(path())).toMatchObject({ mtimeMs, size });
  });

  test("is as if it had never been when a crash cut its writing short, wherever that was", async () => {
    await savedWithChanges();
    const bytes = await readFile(path());
    const last = encodeFrame({ type: "commit", ...offerTo(2) }).length;
    for (const missing of [1, last - 1, last]) {
      await writeFile(path(), bytes.subarray(0, bytes.length - missing));
      const file = new LastGood(directory);
      expect((await file.load())?.version).toBe(tables[1].version);
      await file.save(tables[2], offerTo(2));
      expect((await loadLastGood(directory))?.version).toBe(tables[2].version);
    }
  });

  test("is refused with the table when a byte of it has changed, or one of several is missing", async () => {
    await savedWithChanges();
    const bytes = await readFile(path());
    const damaged = Buffer.from(bytes);
    damaged.write("x", damaged.lastIndexOf("chain"));
    await writeFile(path(), damaged);
    await expect(loadLastGood(directory)).rejects.toThrow(/other bytes than its digest/);
    const [first, last] = [tables[0], offerTo(2)].map((offer) =>
      encodeFrame({ type: "commit", ...("base" in offer ? offer : wholeOffer(offer)) }),
    ) as [Uint8Array, Uint8Array];
    await writeFile(path(), Buffer.concat([first, last]));
    await expect(loadLastGood(directory)).rejects.toThrow(/something other than one table/);
  });
});

describe("an offer", () => {
  const [live, next] = [bytesOf(table), encodeTable({ ...table, secrets: [] })];
  const delta = { version: next.version, ...diffManifests(live.manifest, next.manifest), resources: [] };

  test("of a change is completed with what is here", () => {
    expect(acceptOffer({ ...delta, base: live.version }, live)).toMatchObject({ version: next.version, manifest: [] });
  });

  test("that builds on another version, leads elsewhere or leaves something out is a mismatch, and no refusal", () => {
    const offers: [TableOffer, TableBytes | null][] = [
      [{ ...delta, base: "another" }, live],
      [{ ...delta, base: live.version }, null],
      [{ ...delta, base: live.version, remove: [] }, live],
      [{ ...wholeOffer(encodeTable(table)), resources: [] }, null],
    ];
    for (const [offer, on] of offers) expect(() => acceptOffer(offer, on)).toThrow(OfferMismatch);
  });

  test("with damaged bytes is refused", () => {
    const offer = wholeOffer(encodeTable(table));
    const resources = offer.resources.map(([digest, bytes]) => [digest, bytes.map((byte) => byte ^ 1)] as const);
    expect(() => acceptOffer({ ...offer, resources }, null)).toThrow(/other bytes than its digest/);
  });
});
