import type { Diagnostic } from "@sluice/core/model";
import type { EncodedTable } from "@sluice/core/wire";
import { describe, expect, it } from "vitest";
import { type Attempt, VersionStore } from "../src/store/versions.ts";
import { tableOf } from "./support/tables.ts";

const error: Diagnostic = {
  severity: "error",
  code: "unknown-field",
  message: "there is no field",
  file: "a.yaml",
  line: 3,
  column: 5,
  path: "spec",
  resource: "Gateway default/a",
};

function attempt(table: EncodedTable | null, changes: Partial<Attempt> = {}): Attempt {
  return {
    atMs: 1,
    diagnostics: table === null ? [error] : [],
    table,
    inputDigest: table?.version ?? "",
    source: "directory",
    ...changes,
  };
}

describe("the version store", () => {
  it("keeps the current version when an attempt has errors, and keeps the errors", () => {
    const store = new VersionStore();
    const good = tableOf("a");
    expect(store.record(attempt(good))).toBe("published");
    expect(store.record(attempt(null))).toBe("invalid");
    expect(store.current?.table).toBe(good);
    expect(store.lastAttempt).toMatchObject({ outcome: "invalid", diagnostics: [error] });
    expect(store.whyNothing).toBeNull();
  });

  it("says why there is nothing while the first attempt has errors", () => {
    const store = new VersionStore();
    store.record(attempt(null, { diagnostics: [error, error] }));
    expect(store.whyNothing).toBe("a.yaml:3:5 unknown-field: there is no field (and 1 more)");
  });

  it("does not announce the same version twice", () => {
    const store = new VersionStore();
    const announced: (string | undefined)[] = [];
    store.onChange((table) => announced.push(table?.version));
    store.record(attempt(tableOf("a")));
    expect(store.record(attempt(tableOf("a"), { inputDigest: "a comment more" }))).toBe("repeat");
    expect(announced).toEqual([tableOf("a").version]);
  });

  it("goes back to the last version that an edge served, not to one that none did", () => {
    const store = new VersionStore();
    const [served, skipped, bad] = [tableOf("a"), tableOf("b"), tableOf("c")];
    store.record(attempt(served));
    store.confirm(served.version);
    store.record(attempt(skipped));
    store.record(attempt(bad));
    expect(store.reject(bad.version, "port in use", 7)).toBe(true);
    expect(store.current).toMatchObject({ table: served, sinceMs: 7 });
    expect(store.history.map(({ version, state }) => [version, state])).toEqual([
      [served.version, "current"],
      [bad.version, "refused"],
      [skipped.version, "superseded"],
      [served.version, "superseded"],
    ]);
  });

  it("withholds a refused version until its input changes", () => {
    const store = new VersionStore();
    const [good, bad] = [tableOf("a"), tableOf("b")];
    store.record(attempt(good));
    store.confirm(good.version);
    store.record(attempt(bad));
    store.reject(bad.version, "no");
    expect(store.record(attempt(bad))).toBe("withheld");
    expect(store.current?.table).toBe(good);
    expect(store.record(attempt(bad, { inputDigest: "a comment more" }))).toBe("published");
  });

  it("keeps a refused version current when there is none to go back to, and forgives it when it is served", () => {
    const store = new VersionStore();
    const only = tableOf("a");
    store.record(attempt(only));
    expect(store.reject(only.version, "no")).toBe(false);
    expect(store.current?.table).toBe(only);
    expect(store.history[0]).toMatchObject({ state: "refused", reason: "no" });
    store.confirm(only.version);
    expect(store.history[0]).toMatchObject({ state: "current", reason: "" });
  });

  it("goes back even from a version that another edge served", () => {
    const store = new VersionStore();
    const [first, second] = [tableOf("a"), tableOf("b")];
    for (const table of [first, second]) {
      store.record(attempt(table));
      store.confirm(table.version);
    }
    store.reject(second.version, "no");
    expect(store.current?.table).toBe(first);
  });

  it("remembers a hundred versions", () => {
    const store = new VersionStore();
    for (let i = 0; i < 150; i++) store.record(attempt(tableOf(String(i))));
    expect(store.history).toHaveLength(100);
    expect(store.history[0]?.version).toBe(tableOf("149").version);
  });
});
