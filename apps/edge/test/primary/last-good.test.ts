import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretText, type Table } from "@sluice/core/model";
import { encodeTable } from "@sluice/core/wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadLastGood, saveLastGood } from "../../src/primary/last-good.ts";
import { acceptOffer, resourcesBeyond } from "../../src/primary/table-bytes.ts";

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
  const { version, manifest, resources } = encodeTable(source);
  return acceptOffer({ version, manifest, resources: [...resources] }, null);
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

test("only what the base lacks travels", () => {
  const base = bytesOf(table);
  const next = bytesOf({
    ...table,
    secrets: [...table.secrets, { ...(table.secrets[0] as Table["secrets"][0]), name: "x" }],
  });
  expect(resourcesBeyond(next, base)).toHaveLength(1);
  expect(resourcesBeyond(next, null)).toHaveLength(2);
});
