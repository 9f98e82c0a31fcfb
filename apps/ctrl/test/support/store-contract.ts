// What every keeper of resources must do (store/resource-store.ts). One suite, run on each of them.
import { describe, expect, it } from "vitest";
import type { Commit, ResourceStore, ResourceText, Snapshot } from "../../src/store/resource-store.ts";

/** A keeper under test. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: ResourceStore;
  /** Closes the store and opens another one on what it kept; null where nothing outlives the process. */
  readonly reopen: (() => Promise<ResourceStore>) | null;
}

/** A small resource. */
export function resource(name: string, content: string | number): ResourceText {
  const value = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data: { content } };
  return { kind: "ConfigMap", namespace: "default", name, text: JSON.stringify(value) };
}

/** A commit on a version. */
export function commitOn(base: number, changes: Partial<Commit>): Commit {
  return { base, puts: [], deletes: [], author: "alice", reason: "", digest: `digest-${base + 1}`, ...changes };
}

/** The texts of a snapshot by name. */
function contents(snapshot: Snapshot | null): Record<string, unknown> | null {
  if (snapshot === null) return null;
  const entries = [...snapshot.resources.values()].map(({ name, text }) => {
    const value = JSON.parse(text) as { data: { content: unknown } };
    return [name, value.data.content] as const;
  });
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

const key = (name: string) => ({ kind: "ConfigMap", namespace: "default", name }) as const;

/** @param open makes an empty keeper with this bound of its history */
export function describeResourceStore(title: string, open: (maxHistory: number) => Promise<StoreUnderTest>): void {
  // oxlint-disable-next-line vitest/valid-title -- a keeper's name is the title
  describe(title, () => {
    it("begins with version 0 and nothing in it", async () => {
      await using world = await open(10);
      expect(await world.store.read()).toEqual({ number: 0, resources: new Map() });
      expect(await world.store.versions()).toEqual([]);
      expect(await world.store.version(1)).toBeNull();
      expect(contents(await world.store.readAt(0))).toEqual({});
    });

    it("numbers versions from 1 without gaps, and resources by the version that wrote them", async () => {
      await using world = await open(10);
      await world.store.commit(commitOn(0, { puts: [resource("a", 1), resource("b", 1)] }));
      const second = await world.store.commit(commitOn(1, { puts: [resource("b", 2)], reason: "more" }));
      expect(second).toMatchObject({ outcome: "committed", version: { number: 2, author: "alice", reason: "more" } });
      const { number, resources } = await world.store.read();
      const versions = [...resources.values()].map(({ name, resourceVersion }) => [name, resourceVersion]);
      expect([number, Object.fromEntries(versions)]).toEqual([2, { a: 1, b: 2 }]);
    });

    it("refuses a commit that was made on another version than the latest, and writes nothing of it", async () => {
      await using world = await open(10);
      await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
      for (const base of [0, 2]) {
        const result = await world.store.commit(commitOn(base, { puts: [resource("a", 2)] }));
        expect(result).toEqual({ outcome: "stale", number: 1 });
      }
      expect(contents(await world.store.read())).toEqual({ a: 1 });
      expect(await world.store.versions()).toHaveLength(1);
    });

    it("lets one of several commits on the same version through", async () => {
      await using world = await open(10);
      const results = await Promise.all(
        [1, 2, 3, 4].map((content) => world.store.commit(commitOn(0, { puts: [resource("a", content)] }))),
      );
      expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(["committed", "stale", "stale", "stale"]);
      expect((await world.store.read()).number).toBe(1);
    });

    it("tells of each version what it added, changed and removed, with the texts before and after", async () => {
      await using world = await open(10);
      await world.store.commit(commitOn(0, { puts: [resource("a", 1), resource("b", 1)] }));
      await world.store.commit(commitOn(1, { puts: [resource("a", 2), resource("c", 1)], deletes: [key("b")] }));
      await world.store.commit(commitOn(2, { puts: [resource("a", 3)] }));
      const details = await world.store.version(2);
      expect(details?.changes).toEqual([
        { ...key("a"), change: "changed", before: resource("a", 1).text, after: resource("a", 2).text },
        { ...key("c"), change: "added", before: null, after: resource("c", 1).text },
        { ...key("b"), change: "removed", before: resource("b", 1).text, after: null },
      ]);
      const [newest, middle] = await world.store.versions();
      expect([newest?.number, middle?.changes]).toEqual([
        3,
        [
          { ...key("a"), change: "changed" },
          { ...key("c"), change: "added" },
          { ...key("b"), change: "removed" },
        ],
      ]);
    });

    it("keeps a bounded history, and the state after each version in it and before the oldest", async () => {
      await using world = await open(3);
      for (let base = 0; base < 6; base++) {
        const deletes = base === 4 ? [key("even")] : [];
        const puts = base === 4 ? [] : [resource(base % 2 === 0 ? "even" : "odd", base)];
        await world.store.commit(commitOn(base, { puts, deletes }));
      }
      expect((await world.store.versions()).map(({ number }) => number)).toEqual([6, 5, 4]);
      expect(contents(await world.store.readAt(6))).toEqual({ odd: 5 });
      expect(contents(await world.store.readAt(5))).toEqual({ odd: 3 });
      expect(contents(await world.store.readAt(4))).toEqual({ even: 2, odd: 3 });
      expect(contents(await world.store.readAt(3))).toEqual({ even: 2, odd: 1 });
      for (const number of [-1, 2, 7]) expect(await world.store.readAt(number)).toBeNull();
      for (const number of [3, 7]) expect(await world.store.version(number)).toBeNull();
    });

    it("keeps which version a rollback restores, and which were refused", async () => {
      await using world = await open(10);
      await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
      await world.store.commit(commitOn(1, { puts: [resource("a", 2)] }));
      await world.store.commit(commitOn(2, { puts: [resource("a", 1)], restores: 1, refused: [2] }));
      const [newest, second] = await world.store.versions();
      expect(newest).toMatchObject({ number: 3, restores: 1, refused: [2], digest: "digest-3" });
      expect(second).toMatchObject({ number: 2, restores: null, refused: [] });
    });

    it("tells its listeners of the latest version until they have had enough", async () => {
      await using world = await open(10);
      const told: number[] = [];
      const caughtUp = new Promise<void>((resolve) => {
        const end = world.store.onChange(({ number }) => {
          told.push(number);
          if (number < 2) return;
          end();
          resolve();
        });
      });
      for (let base = 0; base < 3; base++) await world.store.commit(commitOn(base, { puts: [resource("a", base)] }));
      await caughtUp;
      expect(told.at(-1)).toBe(2);
    });

    it("gives snapshots that later commits do not touch", async () => {
      await using world = await open(10);
      await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
      const snapshot = await world.store.read();
      await world.store.commit(commitOn(1, { puts: [resource("a", 2), resource("b", 2)] }));
      expect(contents(snapshot)).toEqual({ a: 1 });
    });

    it("holds the same after it was closed and opened", async () => {
      await using world = await open(3);
      if (world.reopen === null) return;
      for (let base = 0; base < 5; base++) {
        await world.store.commit(commitOn(base, { puts: [resource(`r${base % 2}`, `ü${base}`)], reason: `${base}` }));
      }
      const before = [await world.store.read(), await world.store.versions(), await world.store.version(4)];
      const reopened = await world.reopen();
      expect([await reopened.read(), await reopened.versions(), await reopened.version(4)]).toEqual(before);
      expect(await reopened.commit(commitOn(5, { deletes: [key("r0")] }))).toMatchObject({ version: { number: 6 } });
    });
  });
}
