import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretText, type Table } from "@sluice/core/model";
import { diffManifests, encodeFrame, encodeTable } from "@sluice/core/wire";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadLastGood, saveLastGood } from "../../src/primary/last-good.ts";
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
  ["followed by something", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("\0")])],
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
