import { once } from "node:events";
import { lstat, mkdir, rename, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { EncodedTable } from "@sluice/core/wire";
import { describe, expect, it } from "vitest";
import { Publisher } from "../src/publish/server.ts";
import { VersionStore } from "../src/store/versions.ts";
import { FakeEdge } from "./support/fake-edge.ts";
import { tableOf } from "./support/tables.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./support/temporary-directory.ts";

class World implements AsyncDisposable {
  readonly store = new VersionStore();
  readonly publisher: Publisher;
  readonly socketPath: string;
  readonly disconnects: (string | null)[] = [];
  readonly rollbacks: unknown[] = [];
  readonly acks: string[] = [];
  readonly #directory: TemporaryDirectory;
  readonly #waiting = new Set<() => void>();

  constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
    this.socketPath = directory.at("state", "ctrl.sock");
    const noted = () => {
      for (const resolve of this.#waiting) resolve();
      this.#waiting.clear();
    };
    this.publisher = new Publisher({
      socketPath: this.socketPath,
      ctrlUrl: "http://127.0.0.1:1",
      store: this.store,
      events: {
        onConnect: noted,
        onDisconnect: (_edge, reason) => {
          this.disconnects.push(reason);
          noted();
        },
        onAck: (edge, version) => {
          this.acks.push(`${edge.id} ${version}`);
          noted();
        },
        onRollback: (event) => {
          this.rollbacks.push(event);
          noted();
        },
        onStranger: noted,
        onCredentials: noted,
      },
    });
  }

  static async start(): Promise<World> {
    const directory = await temporaryDirectory();
    await mkdir(directory.at("state"));
    const world = new World(directory);
    await world.publisher.listen();
    return world;
  }

  publish(table: EncodedTable, inputDigest = table.version): void {
    this.store.record({ atMs: 1, diagnostics: [], table, inputDigest, source: "test" });
  }

  /** Resolves when the condition holds, looking again after each event of the publisher. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher.close();
    await this.#directory[Symbol.asyncDispose]();
  }
}

describe("the publisher", () => {
  it("welcomes an edge and commits the current table to it", async () => {
    await using world = await World.start();
    const table = tableOf("a", "b");
    world.publish(table);
    using edge = await FakeEdge.greet(world.socketPath, "edge-1");
    const commit = await edge.accept();
    expect(commit.version).toBe(table.version);
    expect(commit.manifest).toEqual(table.manifest);
    expect(new Map(commit.resources)).toEqual(new Map([...table.resources].map(([k, v]) => [k, Buffer.from(v)])));
    await world.until(() => world.acks.length === 1);
    expect(world.publisher.edges).toMatchObject([{ id: "edge-1", version: table.version, pending: null, nack: null }]);
  });

  it("sends nothing that the edge said it has", async () => {
    await using world = await World.start();
    const table = tableOf("a", "b");
    const [known] = table.resources.keys();
    world.publish(table);
    using edge = await FakeEdge.greet(world.socketPath, "edge-1", [known as string, "something else"]);
    const commit = await edge.accept();
    expect(commit.resources.map(([digest]) => digest)).toEqual([...table.resources.keys()].slice(1));
  });

  it("sends only what changed since the version the edge served last", async () => {
    await using world = await World.start();
    using edge = await FakeEdge.greet(world.socketPath, "edge-1");
    world.publish(tableOf("a", "b"));
    await edge.accept();
    await world.until(() => world.acks.length === 1);
    world.publish(tableOf("a", "c"));
    const commit = await edge.accept();
    expect(commit.manifest).toHaveLength(2);
    expect(commit.resources).toHaveLength(1);
  });

  it("offers an edge that is slow only the newest version when it is free", async () => {
    await using world = await World.start();
    using edge = await FakeEdge.greet(world.socketPath, "edge-1");
    world.publish(tableOf("a"));
    const first = await edge.expect("commit");
    for (const name of ["b", "c", "d"]) world.publish(tableOf(name));
    expect(edge.unread).toBe(0);
    edge.ack(first.version);
    expect((await edge.expect("commit")).version).toBe(tableOf("d").version);
  });

  it("is not held up for other edges by one that does not answer", async () => {
    await using world = await World.start();
    using slow = await FakeEdge.greet(world.socketPath, "slow");
    using quick = await FakeEdge.greet(world.socketPath, "quick");
    slow.socket.pause();
    for (const name of ["a", "b", "c"]) {
      world.publish(tableOf(name));
      expect((await quick.accept()).version).toBe(tableOf(name).version);
      await world.until(() => world.acks.includes(`quick ${tableOf(name).version}`));
    }
  });

  it("rolls back everywhere when one edge refuses, and does not publish the refused version again", async () => {
    await using world = await World.start();
    using first = await FakeEdge.greet(world.socketPath, "edge-1");
    using second = await FakeEdge.greet(world.socketPath, "edge-2");
    const [good, bad] = [tableOf("good"), tableOf("bad")];
    world.publish(good);
    await Promise.all([first.accept(), second.accept()]);
    await world.until(() => world.acks.length === 2);
    world.publish(bad);
    await first.accept();
    expect((await second.expect("commit")).version).toBe(bad.version);
    second.nack(bad.version, "port 80 is in use");
    for (const edge of [first, second]) expect((await edge.accept()).version).toBe(good.version);
    await world.until(() => world.rollbacks.length === 1);
    expect(world.rollbacks).toEqual([
      { edge: "edge-2, worker 1", version: bad.version, reason: "port 80 is in use", current: good.version },
    ]);
    // That the former version is served again does not hide why the new one is not.
    await world.until(() => world.acks.length === 5);
    const nackOf = (id: string) => world.publisher.edges.find((edge) => edge.id === id)?.nack;
    expect([nackOf("edge-1"), nackOf("edge-2")]).toMatchObject([null, { reason: "port 80 is in use" }]);
    world.publish(bad);
    expect(world.store.current?.table.version).toBe(good.version);
    expect(world.store.history[1]).toMatchObject({ state: "refused", reason: "edge-2, worker 1: port 80 is in use" });
    // Other content is published; nothing of the refused version is assumed to be there.
    world.publish(tableOf("bad", "good"));
    expect((await second.accept()).resources).toHaveLength(1);
    await world.until(() => nackOf("edge-2") === null);
  });

  it("sends a refused version without a predecessor once to each edge", async () => {
    await using world = await World.start();
    const table = tableOf("a");
    world.publish(table);
    using edge = await FakeEdge.greet(world.socketPath, "edge-1");
    await edge.expect("commit");
    edge.nack(table.version, "no");
    await world.until(() => world.rollbacks.length === 1);
    expect(world.rollbacks).toMatchObject([{ current: table.version }]);
    expect(world.publisher.edges).toMatchObject([{ version: null, nack: { version: table.version, reason: "no" } }]);
    using later = await FakeEdge.greet(world.socketPath, "edge-2");
    await later.accept();
    await world.until(() => world.acks.length === 1);
    expect(edge.unread).toBe(0);
  });

  it("tells an edge why there is nothing to serve", async () => {
    await using world = await World.start();
    using edge = await FakeEdge.greet(world.socketPath, "edge-1");
    const problem = {
      severity: "error",
      code: "yaml-syntax",
      message: "odd",
      file: "a.yaml",
      line: 1,
      column: 2,
    } as const;
    const diagnostics = [{ ...problem, path: "", resource: "" }];
    world.store.record({ atMs: 1, diagnostics, table: null, inputDigest: "", source: "test" });
    expect((await edge.expect("refused")).reason).toBe("a.yaml:1:2 yaml-syntax: odd");
  });

  it("keeps what edges report of their workers and listeners", async () => {
    await using world = await World.start();
    const table = tableOf("a");
    world.publish(table);
    using edge = await FakeEdge.greet(world.socketPath, "edge-1");
    const listener = { name: "0.0.0.0_80", address: "0.0.0.0", port: 80, boundPort: 8080, engine: "uws" } as const;
    await edge.expect("commit");
    edge.say({
      type: "status",
      workers: [{ worker: 1, pid: 10, version: table.version, sinceMs: 99, appliedMs: 5 }],
      listeners: [listener],
    });
    edge.ack(table.version);
    await world.until(() => world.acks.length === 1);
    expect(world.publisher.edges).toMatchObject([
      { workers: [{ worker: 1, pid: 10, version: table.version, sinceMs: 99, appliedMs: 5 }], listeners: [listener] },
    ]);
  });

  it.each([
    ["garbage", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a frame larger than the limit", Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
    ["a frame of another protocol", Buffer.from([0, 0, 0, 1, 99, 0xc0])],
    ["a frame that is no message", Buffer.from([0, 0, 0, 1, 2, 0xc0])],
  ])("cuts off a peer that sends %s, and serves the others", async (_name, bytes) => {
    await using world = await World.start();
    using edge = await FakeEdge.greet(world.socketPath, "edge-1");
    using stranger = await FakeEdge.connect(world.socketPath);
    stranger.socket.write(bytes);
    await stranger.closed;
    expect(world.disconnects).toEqual([expect.any(String)]);
    world.publish(tableOf("a"));
    await edge.accept();
  });

  it("cuts off an edge that speaks before hello, says it twice, or answers what was not asked", async () => {
    await using world = await World.start();
    using early = await FakeEdge.connect(world.socketPath);
    early.ack("x");
    await early.closed;
    using twice = await FakeEdge.greet(world.socketPath, "twice");
    twice.say({ type: "hello", protocol: 2, edgeId: "twice", productVersion: "0", version: null });
    await twice.closed;
    using eager = await FakeEdge.greet(world.socketPath, "eager");
    eager.ack("x");
    await eager.closed;
    expect(world.disconnects).toEqual([
      "ack before hello",
      "hello twice",
      "an answer to version x, which was not asked",
    ]);
    expect(world.publisher.edges).toEqual([]);
  });

  it("forgets an edge that goes away", async () => {
    await using world = await World.start();
    const edge = await FakeEdge.greet(world.socketPath, "edge-1");
    edge.socket.end();
    await world.publisher.untilNoEdges();
    expect(world.publisher.edges).toEqual([]);
    expect(world.disconnects).toEqual([null]);
  });
});

describe("the control socket", () => {
  it("is open to its owner only", async () => {
    await using world = await World.start();
    expect((await stat(world.socketPath)).mode & 0o777).toBe(0o600);
  });

  it("is not taken from a ctrl that is alive", async () => {
    await using world = await World.start();
    const { socketPath, store } = world;
    const nothing = () => {};
    const events = {
      onConnect: nothing,
      onDisconnect: nothing,
      onAck: nothing,
      onRollback: nothing,
      onStranger: nothing,
      onCredentials: nothing,
    };
    const second = new Publisher({ socketPath, ctrlUrl: "", store, events });
    await expect(second.listen()).rejects.toThrow("another ctrl is running");
    using edge = await FakeEdge.greet(socketPath, "edge-1");
    expect(edge.unread).toBe(0);
  });

  it("replaces the file of a ctrl that is dead, and removes its own", async () => {
    await using directory = await temporaryDirectory();
    const world = new World(directory);
    await using other = await temporaryDirectory();
    // A socket file without a listener, as kill -9 leaves it: made by binding one path and moving it.
    const server = createServer().listen(other.at("live.sock"));
    await once(server, "listening");
    await mkdir(directory.at("state"), { mode: 0o700 });
    await rename(other.at("live.sock"), world.socketPath);
    server.close();
    await once(server, "close");
    expect((await lstat(world.socketPath)).isSocket()).toBe(true);
    await world.publisher.listen();
    using edge = await FakeEdge.greet(world.socketPath, "edge-1");
    edge.socket.destroy();
    await world.publisher.close();
    await expect(lstat(world.socketPath)).rejects.toThrow("ENOENT");
  });

  it("does not replace what is no socket", async () => {
    await using directory = await temporaryDirectory();
    const world = new World(directory);
    await mkdir(directory.at("state"));
    await writeFile(world.socketPath, "precious");
    await expect(world.publisher.listen()).rejects.toThrow("is no socket");
  });
});
