// One child process of `sluice up`, started again when it dies after having been ready once.
import { type ChildProcess, fork } from "node:child_process";
import { isReadyMessage } from "./child.ts";

const minPauseMs = 100;
const maxPauseMs = 10_000;
/** A child that ran this long was well: the next restart is quick again. */
const wellAfterMs = 30_000;

/** How a child ended: by itself with a code, or by a signal. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisedEvents {
  /** Died before it was ever ready: starting it again would only repeat that. */
  onNeverReady(end: ChildEnd): void;
  /** Ended with 0 without having been told to: somebody drained it. */
  onFinished(): void;
  onRestart(end: ChildEnd, pauseMs: number): void;
}

export class Supervised {
  readonly name: string;
  readonly #file: string;
  readonly #args: readonly string[];
  readonly #events: SupervisedEvents;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #wasReady = false;
  /** The child that runs now has said that it is ready: its signal handlers are in place. */
  #isReady = false;
  #isStopping = false;
  #pauseMs = minPauseMs;
  #startedMs = 0;
  #onEnd: ((end: ChildEnd) => void) | null = null;
  #onReady: () => void = () => {};
  /** Resolves when it is ready for the first time. */
  readonly untilReady = new Promise<void>((resolve) => (this.#onReady = resolve));

  /** @param args of the command line: the command's name first */
  constructor(file: string, args: readonly string[], events: SupervisedEvents) {
    this.name = args[0] ?? "";
    this.#file = file;
    this.#args = args;
    this.#events = events;
  }

  start(): void {
    this.#timer = null;
    this.#isReady = false;
    this.#startedMs = performance.now();
    const child = fork(this.#file, this.#args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child = child;
    child.on("message", (message) => {
      if (!isReadyMessage(message)) return;
      this.#wasReady = true;
      this.#isReady = true;
      this.#onReady();
    });
    child.on("error", () => {});
    child.once("exit", (code, signal) => this.#onExit({ code, signal }));
  }

  /** Sends the signal and resolves with how the child ended. `{ code: 0 }` when it was not running. */
  async stop(signal: NodeJS.Signals): Promise<ChildEnd> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#child === null) return { code: 0, signal: null };
    this.#child.kill(signal);
    return await new Promise((resolve) => (this.#onEnd = resolve));
  }

  /** Passes a signal on. A child that is only starting would die of it, and has nothing yet that the signal is about. */
  signal(signal: NodeJS.Signals): void {
    if (this.#isReady) this.#child?.kill(signal);
  }

  kill(): void {
    this.#isStopping = true;
    this.#child?.kill("SIGKILL");
  }

  #onExit(end: ChildEnd): void {
    this.#child = null;
    if (this.#isStopping) return this.#onEnd?.(end);
    if (!this.#wasReady) return this.#events.onNeverReady(end);
    if (end.code === 0) return this.#events.onFinished();
    if (performance.now() - this.#startedMs > wellAfterMs) this.#pauseMs = minPauseMs;
    this.#events.onRestart(end, this.#pauseMs);
    this.#timer = setTimeout(() => this.start(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, maxPauseMs);
  }
}
