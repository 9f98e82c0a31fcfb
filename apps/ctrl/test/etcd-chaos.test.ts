// Six writers on three stores while members of etcd are killed and stopped and wires are cut at random: whatever was acknowledged is there in
// the end, on every store, and every version was answered once. SLUICE_CHAOS_SECONDS sets how long; the suite can afford a few.
import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { CuttableWire } from "../../../test/support/cuttable-wire.ts";
import { etcdCluster, type EtcdCluster, hasEtcd } from "../../../test/support/etcd.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { EtcdStore } from "../src/store/etcd/etcd-store.ts";
import { type Snapshot, StoreUnavailable } from "../src/store/resource-store.ts";
import { commitOn, resource } from "./support/store-contract.ts";

const seconds = Number(process.env["SLUICE_CHAOS_SECONDS"] ?? 3);
const quietMs = 30_000;

interface Machine {
  readonly store: EtcdStore;
  readonly wires: readonly CuttableWire[];
}

async function startMachine({ endpoints }: EtcdCluster): Promise<Machine> {
  const wires = await Promise.all(endpoints.map(async (url) => await CuttableWire.to(url, "127.0.0.1")));
  const store = await EtcdStore.open({
    endpoints: wires.map(({ url }) => url),
    tls: {},
    prefix: "/chaos",
    timeoutMs: 3_000,
    maxHistory: 50,
    checkpointEvery: 20,
    onWarning: () => {},
  });
  return { store, wires };
}

/** One of many things that go wrong, and its end. */
async function misfortune(cluster: EtcdCluster, machines: readonly Machine[]): Promise<void> {
  const member = cluster.members[randomInt(cluster.members.length)];
  const wires = machines[randomInt(machines.length)]?.wires ?? [];
  const cut = randomInt(2) === 0 ? wires : wires.slice(0, 1);
  const kind = randomInt(3);
  if (kind === 0) await member?.kill();
  else if (kind === 1) member?.signal("SIGSTOP");
  else for (const wire of cut) wire.cut();
  await pause(randomInt(2_000));
  if (kind === 0) member?.start();
  else if (kind === 1) member?.signal("SIGCONT");
  else for (const wire of cut) wire.mend();
}

/** Counts in a resource of its own; now and then with so much beside it that it goes into chunks. */
class Writer {
  readonly #store: EtcdStore;
  readonly #name: string;
  acknowledged = 0;
  readonly versions: number[] = [];
  unknown = 0;

  constructor(store: EtcdStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  countIn({ resources }: Snapshot): number {
    const text = resources.get(`ConfigMap default/${this.#name}`)?.text;
    if (text === undefined) return 0;
    return Number((JSON.parse(text) as { data: { content: string } }).data.content.split(" ")[0]);
  }

  async write(): Promise<void> {
    const snapshot = await this.#store.read();
    const count = this.countIn(snapshot) + 1;
    // What this store answered for is in what it reads.
    expect(count).toBeGreaterThan(this.acknowledged);
    const ballast = randomInt(20) === 0 ? randomBytes(200_000).toString("hex") : "";
    const commit = commitOn(snapshot.number, { puts: [resource(this.#name, `${count} ${ballast}`)] });
    try {
      const result = await this.#store.commit(commit);
      if (result.outcome === "stale") return;
      this.acknowledged = count;
      this.versions.push(result.version.number);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (error.message.includes("not known")) this.unknown++;
      await pause(50);
    }
  }
}

it.runIf(hasEtcd)(
  `${seconds} seconds of misfortune lose nothing that was acknowledged`,
  async () => {
    await using cluster = await etcdCluster({ members: 3 });
    const machines = await Promise.all([1, 2, 3].map(async () => await startMachine(cluster)));
    const writers = machines.flatMap(({ store }, place) => {
      return [0, 1].map((index) => new Writer(store, `writer-${place}-${index}`));
    });
    const endsAtMs = performance.now() + seconds * 1000;
    const isOver = () => performance.now() > endsAtMs;
    const writing = writers.map(async (writer) => {
      while (!isOver()) {
        await writer.write();
        await pause(randomInt(20));
      }
    });
    while (!isOver()) await misfortune(cluster, machines);
    await Promise.all(writing);
    // What a stopped member still has in its buffers names an older version than this one, so from here on nothing comes late.
    const [closing] = writers;
    const before = closing?.versions.length;
    while (closing?.versions.length === before) await closing?.write();

    const unknown = writers.reduce((sum, writer) => sum + writer.unknown, 0);
    const answered = writers.flatMap(({ versions }) => versions);
    const last = await eventually(
      "one truth",
      async () => {
        const all = await Promise.all(machines.map(async ({ store }) => await store.read()));
        const isOne = new Set(all.map(({ number }) => number)).size === 1;
        return isOne && machines.every(({ store }) => store.health.problem === null) ? (all[0] ?? null) : null;
      },
      quietMs,
    );
    for (const { store } of machines) expect(await store.read()).toEqual(last);
    for (const writer of writers) expect(writer.countIn(last)).toBeGreaterThanOrEqual(writer.acknowledged);
    expect(new Set(answered).size).toBe(answered.length);
    expect(last.number).toBeGreaterThanOrEqual(answered.length);
    expect(last.number).toBeLessThanOrEqual(answered.length + unknown);
    for (const { store, wires } of machines) {
      await store.close();
      await Promise.all(wires.map(async (wire) => await wire[Symbol.asyncDispose]()));
    }
  },
  (seconds + 60) * 1000,
);
