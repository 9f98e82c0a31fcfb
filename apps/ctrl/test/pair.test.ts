import { writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Pair } from "../src/cli/supervision/pair.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./support/temporary-directory.ts";

/** Stands in for ctrl and edge: reports what happens to it over a socket, and does as it is told. */
const script = `
const { connect } = require("node:net");
const [name, path] = process.argv.slice(2);
const socket = connect(path, () => say("started"));
const say = (event) => socket.write(name + " " + event + "\\n");
require("node:readline").createInterface(socket).on("line", (line) => eval(line));
process.on("SIGTERM", () => say("SIGTERM"));
`;

class World implements AsyncDisposable {
  readonly pair: Pair;
  readonly status: Promise<number>;
  readonly #directory: TemporaryDirectory;
  readonly #server: Server;
  readonly #sockets = new Map<string, Socket>();
  readonly #events: string[] = [];
  #onEvent: (() => void) | null = null;

  private constructor(directory: TemporaryDirectory, server: Server) {
    this.#directory = directory;
    this.#server = server;
    server.on("connection", (socket) => {
      createInterface(socket).on("line", (line) => {
        this.#sockets.set(line.split(" ")[0] ?? "", socket);
        this.#events.push(line);
        this.#onEvent?.();
      });
      socket.on("error", () => {});
    });
    const options = { program: directory.at("program.cjs"), args: [directory.at("socket")] };
    this.pair = new Pair({ ...options, log: pino({ level: "silent" }) });
    this.status = this.pair.run();
  }

  static async start(): Promise<World> {
    const directory = await temporaryDirectory();
    await writeFile(directory.at("program.cjs"), script);
    const server = createServer().listen(directory.at("socket"));
    await once(server, "listening");
    const world = new World(directory, server);
    await world.saw("ctrl started");
    await world.saw("edge started");
    return world;
  }

  /** Takes the event, past or to come. */
  async saw(event: string): Promise<void> {
    while (!this.#events.includes(event)) await new Promise<void>((resolve) => (this.#onEvent = resolve));
    this.#events.splice(this.#events.indexOf(event), 1);
  }

  get untaken(): readonly string[] {
    return this.#events;
  }

  tell(name: "ctrl" | "edge", code: string): void {
    this.#sockets.get(name)?.write(`${code}\n`);
  }

  /** Tells it to report that it is ready, and waits until the report went out. */
  async makeReady(...names: readonly ("ctrl" | "edge")[]): Promise<void> {
    for (const name of names) {
      this.tell(name, `process.send({ event: "ready" }, () => say("is ready"))`);
      await this.saw(`${name} is ready`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.pair.kill();
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#server.close();
    await this.#directory[Symbol.asyncDispose]();
  }
}

describe("control plane and edge under sluice up", () => {
  it("drain the edge first, end ctrl after it, and end with the edge's status", async () => {
    await using world = await World.start();
    await world.makeReady("ctrl", "edge");
    world.pair.drain();
    await world.saw("edge SIGTERM");
    expect(world.untaken).toEqual([]);
    world.tell("edge", "process.exit(0)");
    await world.saw("ctrl SIGTERM");
    world.tell("ctrl", "process.exit(0)");
    expect(await world.status).toBe(0);
  });

  it("end together when the edge was drained by somebody else", async () => {
    await using world = await World.start();
    await world.makeReady("ctrl", "edge");
    world.tell("edge", "process.exit(0)");
    await world.saw("ctrl SIGTERM");
    world.tell("ctrl", "process.exit(0)");
    expect(await world.status).toBe(0);
  });

  it("are started again when they die, each without the other", async () => {
    await using world = await World.start();
    await world.makeReady("ctrl", "edge");
    for (const name of ["ctrl", "edge", "ctrl"] as const) {
      world.tell(name, 'process.kill(process.pid, "SIGKILL")');
      await world.saw(`${name} started`);
    }
    expect(world.untaken).toEqual([]);
  });

  it.each([
    ["edge", "ctrl", 1, 1],
    ["ctrl", "edge", 1, 1],
    ["edge", "ctrl", 2, 2],
    ["ctrl", "edge", 7, 1],
  ] as const)("end together when %s cannot start (%s is told, %i becomes %i)", async (name, other, code, status) => {
    await using world = await World.start();
    await world.makeReady(other);
    world.tell(name, `process.exit(${code})`);
    await world.saw(`${other} SIGTERM`);
    world.tell(other, "process.exit(0)");
    expect(await world.status).toBe(status);
  });

  it("do not outlive a drain that came while one was being started again", async () => {
    await using world = await World.start();
    await world.makeReady("ctrl", "edge");
    world.tell("ctrl", "process.exit(1)");
    world.pair.drain();
    await world.saw("edge SIGTERM");
    world.tell("edge", "process.exit(0)");
    const ended = world.status.then((status) => ({ status }));
    // Whether ctrl died before or after the drain began, it is told once more or is gone.
    const told = world.saw("ctrl SIGTERM").then(() => world.tell("ctrl", "process.exit(0)"));
    expect(await Promise.race([ended, told.then(async () => await ended)])).toEqual({ status: 0 });
  });
});
