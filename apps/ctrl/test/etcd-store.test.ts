// What is particular to the store in etcd: several ctrls, large versions, lost answers, and an etcd that is away, full, or not ours.
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createAuthority } from "@sluice/demo/certificates";
import { CuttableWire } from "../../../test/support/cuttable-wire.ts";
import { etcdCluster, hasEtcd } from "../../../test/support/etcd.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { EtcdStore, type EtcdStoreOptions } from "../src/store/etcd/etcd-store.ts";
import { type Snapshot, StoreLimit, StoreUnavailable } from "../src/store/resource-store.ts";
import { askEtcd, losesAnswers } from "./support/etcd-requests.ts";
import { commitOn, resource } from "./support/store-contract.ts";

const limitMs = 20_000;

/** A store that is closed with the test. */
async function open(options: Partial<EtcdStoreOptions> & Pick<EtcdStoreOptions, "endpoints">) {
  const warnings: string[] = [];
  const store = await EtcdStore.open({
    tls: {},
    prefix: `/${randomUUID()}`,
    timeoutMs: 10_000,
    maxHistory: 10,
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  return { store, warnings, [Symbol.asyncDispose]: async () => await store.close() };
}

/** Resolves when the store tells of this version, or a later one. */
async function untilTold(store: EtcdStore, number: number): Promise<Snapshot> {
  return await eventually(
    `version ${number}`,
    async () => {
      const snapshot = await store.read();
      return snapshot.number >= number ? snapshot : null;
    },
    limitMs,
  );
}

/** Text that does not become smaller by compression. */
function noise(megabytes: number): string {
  return randomBytes(megabytes * 1024 * 768).toString("base64");
}

describe.runIf(hasEtcd)("the store in etcd", async () => {
  if (!hasEtcd) return;
  const cluster = await etcdCluster();
  const { endpoints } = cluster;
  afterAll(async () => await cluster[Symbol.asyncDispose]());

  it("lets two ctrls write in turn, each on what the other wrote", async () => {
    const prefix = "/in-turn";
    await using left = await open({ endpoints, prefix });
    await using right = await open({ endpoints, prefix });
    await left.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
    await untilTold(right.store, 1);
    expect(await right.store.commit(commitOn(1, { puts: [resource("b", 1)] }))).toMatchObject({ outcome: "committed" });
    // Told of nothing yet, perhaps: refused all the same, and then it knows.
    const late = await left.store.commit(commitOn(1, { puts: [resource("a", 2)] }));
    expect(late).toEqual({ outcome: "stale", number: 2 });
    expect((await left.store.read()).resources.size).toBe(2);
  });

  it("keeps one of the commits that ctrls make on the same version at the same time", async () => {
    const prefix = "/at-once";
    await using left = await open({ endpoints, prefix });
    await using right = await open({ endpoints, prefix });
    for (let base = 0; base < 20; base++) {
      await Promise.all([left, right].map(async ({ store }) => await untilTold(store, base)));
      const outcomes = await Promise.all(
        [left, right].map(async ({ store }, place) => {
          return await store.commit(commitOn(base, { puts: [resource(`r${place}`, base)] }));
        }),
      );
      expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(["committed", "stale"]);
    }
    expect(await right.store.versions()).toEqual(await left.store.versions());
  });

  it("makes a version larger than a request visible at once and for good, and leaves no part under a lease", async () => {
    const prefix = "/large";
    await using left = await open({ endpoints, prefix });
    await using right = await open({ endpoints, prefix });
    const large = resource("large", noise(3));
    await left.store.commit(commitOn(0, { puts: [large, resource("small", 1)] }));
    const { resources } = await untilTold(right.store, 1);
    expect(resources.get("ConfigMap default/large")?.text).toBe(large.text);
    const { kvs } = await askEtcd(endpoints, "/v3/kv/range", {
      key: `${prefix}/chunks/`,
      range_end: `${prefix}/chunks0`,
    });
    expect(kvs.length).toBeGreaterThan(2);
    expect(kvs.map(({ lease }) => lease)).toEqual(kvs.map(() => undefined));
  });

  it("keeps a push of more resources than a transaction takes whole", async () => {
    await using world = await open({ endpoints });
    const puts = Array.from({ length: 10_000 }, (_, index) => resource(`r${index}`, index));
    expect(await world.store.commit(commitOn(0, { puts }))).toMatchObject({ outcome: "committed" });
    expect((await world.store.read()).resources.size).toBe(10_000);
  });

  it("refuses a version that etcd cannot take, and writes nothing of it", async () => {
    await using world = await open({ endpoints, maxChunks: 2 });
    const attempt = world.store.commit(commitOn(0, { puts: [resource("a", noise(3))] }));
    await expect(attempt).rejects.toThrow(
      new StoreLimit("version 1 is larger than etcd takes: 3 MiB compressed, at most 2"),
    );
    expect(await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }))).toMatchObject({ outcome: "committed" });
  });

  it("shortens a history that is too large for a checkpoint, and keeps what is stored now", async () => {
    const prefix = "/short-history";
    await using world = await open({ endpoints, prefix, maxChunks: 3, checkpointEvery: 6 });
    for (let base = 0; base < 6; base++) await world.store.commit(commitOn(base, { puts: [resource("a", noise(1))] }));
    await eventually("a checkpoint", async () => {
      return (await askEtcd(endpoints, "/v3/kv/range", { key: `${prefix}/checkpoint` })).kvs[0] ?? null;
    });
    await using other = await open({ endpoints, prefix });
    expect(await other.store.read()).toEqual(await world.store.read());
    expect((await other.store.versions()).map(({ number }) => number)).toEqual([6]);
    expect(await other.store.version(6)).toEqual(await world.store.version(6));
  });

  it("catches up after it was cut off, though etcd has compacted what it missed and versions were deleted", async () => {
    const prefix = "/cut-off";
    await using wire = await CuttableWire.to(endpoints[0] ?? "", "127.0.0.1");
    await using left = await open({ endpoints, prefix, checkpointEvery: 10 });
    await using right = await open({ endpoints: [wire.url], prefix, timeoutMs: 1_000 });
    await left.store.commit(commitOn(0, { puts: [resource("a", 0)] }));
    await untilTold(right.store, 1);
    wire.cut();
    for (let base = 1; base < 120; base++) {
      await left.store.commit(commitOn(base, { puts: [resource(`r${base % 7}`, base)] }));
    }
    const { header } = await askEtcd(endpoints, "/v3/kv/range", { key: `${prefix}/latest` });
    await askEtcd(endpoints, "/v3/kv/compaction", { revision: header.revision });
    const first = { key: `${prefix}/versions/`, range_end: `${prefix}/versions/000000000003` };
    await eventually("the end of old versions", async () => {
      return (await askEtcd(endpoints, "/v3/kv/range", first)).kvs.length === 0 ? true : null;
    });
    wire.mend();
    expect(await untilTold(right.store, 120)).toEqual(await left.store.read());
    expect(await right.store.versions()).toEqual(await left.store.versions());
    // The watch lives again: what comes next is told too.
    await left.store.commit(commitOn(120, { puts: [resource("a", 1)] }));
    await untilTold(right.store, 121);
  });

  it("answers a commit once when etcd's answer is lost, and makes one version of it", async () => {
    await using proxy = await losesAnswers(endpoints[0] ?? "", { path: "/v3/kv/txn", when: "request_put" });
    await using world = await open({ endpoints: [proxy.url] });
    proxy.lose(1);
    expect(await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }))).toMatchObject({
      outcome: "committed",
      version: { number: 1 },
    });
    expect(proxy.lost).toBe(1);
    expect(await world.store.commit(commitOn(1, { puts: [resource("a", 2)] }))).toMatchObject({
      version: { number: 2 },
    });
  });

  it("says that nobody knows when no answer ever comes, and finds the version by reading", async () => {
    await using proxy = await losesAnswers(endpoints[0] ?? "", { path: "/v3/kv/txn", when: "request_put" });
    await using world = await open({ endpoints: [proxy.url], timeoutMs: 1_000 });
    proxy.lose(Number.POSITIVE_INFINITY);
    const attempt = world.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
    await expect(attempt).rejects.toThrow(/whether version 1 was written is not known/);
    expect((await untilTold(world.store, 1)).resources.size).toBe(1);
    proxy.lose(0);
    await eventually("a store that can be written", () => (world.store.health.problem === null ? true : null), limitMs);
    expect(await world.store.commit(commitOn(1, { deletes: [] }))).toMatchObject({ version: { number: 2 } });
  });

  it("refuses to go on when etcd was put back, even if it has more versions now than we had", async () => {
    const prefix = "/put-back";
    await using wire = await CuttableWire.to(endpoints[0] ?? "", "127.0.0.1");
    await using world = await open({ endpoints: [wire.url], prefix, timeoutMs: 1_000 });
    await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
    wire.cut();
    await askEtcd(endpoints, "/v3/kv/deleterange", { key: `${prefix}/`, range_end: `${prefix}0` });
    await using other = await open({ endpoints, prefix });
    for (let base = 0; base < 3; base++) await other.store.commit(commitOn(base, { puts: [resource("b", base)] }));
    wire.mend();
    const problem = await eventually(
      "the problem",
      () => {
        const { problem: told } = world.store.health;
        return told?.includes("history") === true ? told : null;
      },
      limitMs,
    );
    expect(problem).toMatch(
      /another history than this ctrl: its latest version is 3, ours 1\. Was a backup restored\?/,
    );
    await expect(world.store.commit(commitOn(1, {}))).rejects.toThrow(StoreUnavailable);
    expect((await world.store.read()).number).toBe(1);
  });

  it("refuses a prefix that something else uses", async () => {
    await askEtcd(endpoints, "/v3/kv/put", { key: "/strange/latest", value: "hello" });
    await expect(open({ endpoints, prefix: "/strange" })).rejects.toThrow(
      "ctrl.store.etcd: /strange/latest in etcd is no value of Sluice's; is the prefix used by something else?",
    );
  });
});

describe.runIf(hasEtcd)("a store whose etcd", () => {
  it("is away keeps its reads, says since when, refuses pushes at once, and goes on when etcd is back", async () => {
    await using cluster = await etcdCluster();
    await using world = await open({ endpoints: cluster.endpoints, timeoutMs: 1_000 });
    await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
    const [member] = cluster.members;
    await member?.kill();
    const problem = await eventually("a problem", () => world.store.health.problem, limitMs);
    expect(problem).toMatch(/^etcd cannot be used since \d{4}-\d\d-\d\dT.*Z: http:\S+: .*ECONNREFUSED/);
    const attempt = world.store.commit(commitOn(1, { puts: [resource("a", 2)] }));
    await expect(attempt).rejects.toThrow(/nothing was written$/);
    expect((await world.store.read()).resources.size).toBe(1);
    expect(await world.store.versions()).toHaveLength(1);
    member?.start();
    await eventually("etcd again", () => (world.store.health.problem === null ? true : null), limitMs);
    expect(await world.store.commit(commitOn(1, { puts: [resource("a", 2)] }))).toMatchObject({ outcome: "committed" });
    expect(world.warnings).toEqual([
      expect.stringMatching(/^etcd cannot be used: .*; what runs goes on, pushes are refused$/),
      expect.stringMatching(/^etcd is back after \d+ s$/),
    ]);
  });

  it("is not there yet is waited for", async () => {
    await using cluster = await etcdCluster();
    await cluster.members[0]?.kill();
    const warned: string[] = [];
    const opening = open({
      endpoints: cluster.endpoints,
      timeoutMs: 1_000,
      onWarning: (message) => warned.push(message),
    });
    await eventually("a warning", () => warned[0] ?? null, limitMs);
    cluster.members[0]?.start();
    await using world = await opening;
    expect(world.store.health.problem).toBeNull();
    expect(warned[0]).toMatch(/^waiting for etcd: http:.*ECONNREFUSED/);
  });

  it("is full refuses with etcd's reason, and takes pushes again when there is room", async () => {
    await using cluster = await etcdCluster({ args: ["--quota-backend-bytes", String(4 * 1024 * 1024)] });
    const { endpoints } = cluster;
    await using world = await open({ endpoints });
    const fill = async (): Promise<boolean> => {
      const filler = { key: `/filler/${randomUUID()}`, value: noise(1) };
      return await askEtcd(endpoints, "/v3/kv/put", filler).then(
        () => true,
        () => false,
      );
    };
    while (await fill());
    await expect(world.store.commit(commitOn(0, { puts: [resource("a", 1)] }))).rejects.toThrow(
      new StoreUnavailable("etcd refuses to write (etcdserver: mvcc: database space exceeded); nothing was written"),
    );
    expect(world.store.health.problem).toMatch(/^etcd refuses to write: .*space exceeded/);
    const { header } = await askEtcd(endpoints, "/v3/kv/deleterange", { key: "/filler/", range_end: "/filler0" });
    await askEtcd(endpoints, "/v3/kv/compaction", { revision: header.revision });
    await askEtcd(endpoints, "/v3/maintenance/defragment", {});
    await askEtcd(endpoints, "/v3/maintenance/alarm", {
      action: "DEACTIVATE",
      alarm: "NOSPACE",
      memberID: header.member_id,
    });
    expect(await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }))).toMatchObject({ outcome: "committed" });
    expect(world.store.health.problem).toBeNull();
  });

  it("asks for certificates is shown ours, and believed only when our authority vouches for it", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sluice-etcd-tls-"));
    const path = (name: string) => join(directory, name);
    const [authority, stranger] = await Promise.all(
      ["etcd", "stranger"].map(async (commonName) => await createAuthority({ commonName })),
    );
    if (authority === undefined || stranger === undefined) throw new Error("no authorities");
    // etcd's gateway shows its member's own certificate to the member, so it has to be good for both sides.
    const member = await authority.issue({
      commonName: "member",
      ipAddresses: ["127.0.0.1"],
      client: true,
      server: true,
    });
    const client = await authority.issue({ commonName: "sluice", client: true });
    await Promise.all([
      writeFile(path("ca"), authority.certificatePem),
      writeFile(path("stranger"), stranger.certificatePem),
      writeFile(path("member.crt"), member.chainPem),
      writeFile(path("member.key"), member.keyPem),
      writeFile(path("client.crt"), client.chainPem),
      writeFile(path("client.key"), client.keyPem),
    ]);
    const files = ["--cert-file", path("member.crt"), "--key-file", path("member.key")];
    const args = [...files, "--client-cert-auth", "--trusted-ca-file", path("ca")];
    await using cluster = await etcdCluster({ scheme: "https", args });
    const { endpoints } = cluster;
    const tls = { ca: path("ca"), certificate: path("client.crt"), privateKey: path("client.key") };
    await using world = await open({ endpoints, tls });
    expect(await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }))).toMatchObject({ outcome: "committed" });
    for (const wrong of [{ ...tls, ca: path("stranger") }, { ca: path("ca") }]) {
      const [warned, ending] = [[] as string[], new AbortController()];
      const onWarning = (message: string) => {
        warned.push(message);
        ending.abort();
      };
      await expect(open({ endpoints, tls: wrong, timeoutMs: 500, onWarning, signal: ending.signal })).rejects.toThrow(
        /aborted/,
      );
      expect(warned).toEqual([expect.stringMatching(/^waiting for etcd: .*(certificate|alert)/)]);
    }
    const missing = open({ endpoints, tls: { ...tls, ca: path("none") } });
    await expect(missing).rejects.toThrow(
      /^ctrl\.store\.etcd: ctrl\.store\.etcd\.tls\.ca: .*none cannot be read: ENOENT$/,
    );
    await rm(directory, { recursive: true });
  });

  it("asks for a password gets it, and a new token is fetched when the member forgot the old one", async () => {
    await using cluster = await etcdCluster();
    const { endpoints } = cluster;
    const directory = await mkdtemp(join(tmpdir(), "sluice-password-"));
    const passwordFile = join(directory, "password");
    await writeFile(passwordFile, "correct horse\n");
    await askEtcd(endpoints, "/v3/auth/user/add", { name: "root", password: "correct horse" });
    await askEtcd(endpoints, "/v3/auth/user/grant", { user: "root", role: "root" });
    await askEtcd(endpoints, "/v3/auth/enable", {});
    await expect(open({ endpoints })).rejects.toThrow(/^ctrl\.store\.etcd: .*user name is empty/);
    await using world = await open({ endpoints, username: "root", passwordFile });
    await world.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
    await cluster.members[0]?.kill();
    cluster.members[0]?.start();
    await eventually("etcd again", async () => {
      const result = await world.store.commit(commitOn(1, { puts: [resource("a", 2)] })).catch(() => null);
      return result?.outcome === "committed" ? true : null;
    });
    await using other = await open({ endpoints, username: "root", passwordFile, prefix: "/other" });
    await other.store.commit(commitOn(0, { puts: [resource("a", 1)] }));
    await writeFile(passwordFile, "wrong");
    await expect(open({ endpoints, username: "root", passwordFile })).rejects.toThrow(/authentication failed/);
    await rm(directory, { recursive: true });
  });
});
