import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type ChildEnd, Supervised } from "../src/cli/supervision/supervised.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const ready = 'process.send({ event: "ready" });';

type Event = ["never-ready" | "restart", ChildEnd] | ["finished"];

/** A supervised script, and what was told about it. */
class Watched implements AsyncDisposable {
  readonly supervised: Supervised;
  readonly #events: Event[] = [];
  #onEvent: (() => void) | null = null;

  constructor(file: string, args: readonly string[]) {
    const note = (event: Event) => {
      this.#events.push(event);
      this.#onEvent?.();
    };
    this.supervised = new Supervised(file, args, {
      onNeverReady: (end) => note(["never-ready", end]),
      onFinished: () => note(["finished"]),
      onRestart: (end) => note(["restart", end]),
    });
    this.supervised.start();
  }

  async next(): Promise<Event> {
    while (this.#events.length === 0) await new Promise<void>((resolve) => (this.#onEvent = resolve));
    return this.#events.shift() as Event;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervised.stop("SIGKILL");
  }
}

describe("a supervised process", () => {
  it.each([
    ["is not started again when it was never ready", "process.exit(3)", ["never-ready", { code: 3, signal: null }]],
    ["is started again when it dies", `${ready} process.exit(3)`, ["restart", { code: 3, signal: null }]],
    [
      "is started again when it is killed",
      `${ready} process.kill(process.pid, "SIGKILL")`,
      ["restart", { code: null, signal: "SIGKILL" }],
    ],
    ["is not started again when it ends well", `${ready} process.disconnect()`, ["finished"]],
  ])("%s", async (_name, script, event) => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.at("child.js"), script);
    await using watched = new Watched(directory.at("child.js"), ["child"]);
    expect(await watched.next()).toEqual(event);
  });

  it("is started again each time it dies", async () => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.at("child.js"), `${ready} process.exit(3)`);
    await using watched = new Watched(directory.at("child.js"), ["child"]);
    for (let i = 0; i < 3; i++) expect(await watched.next()).toEqual(["restart", { code: 3, signal: null }]);
  });

  it("is stopped for good, and how it ended is told", async () => {
    await using directory = await temporaryDirectory();
    const script = `process.on("SIGTERM", () => process.exit(7)); setInterval(() => {}, 1000); ${ready}`;
    await writeFile(directory.at("child.js"), script);
    const watched = new Watched(directory.at("child.js"), ["child"]);
    await watched.supervised.untilReady;
    expect(await watched.supervised.stop("SIGTERM")).toEqual({ code: 7, signal: null });
    expect(await watched.supervised.stop("SIGTERM")).toEqual({ code: 0, signal: null });
  });
});
