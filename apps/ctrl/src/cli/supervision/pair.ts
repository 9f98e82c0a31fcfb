// Control plane and edge as two processes, from the first start to the last exit: what `sluice up` is.
import { exitUsage } from "../failure.ts";
import type { Logger } from "../log.ts";
import { type ChildEnd, Supervised } from "./supervised.ts";

export interface PairOptions {
  /** The script that runs `ctrl` and `edge`. */
  readonly program: string;
  /** Follows the command's name. */
  readonly args: readonly string[];
  readonly log: Logger;
}

export class Pair {
  readonly #log: Logger;
  readonly #ctrl: Supervised;
  readonly #edge: Supervised;
  readonly #ended: Promise<number>;
  #resolve: (status: number | Promise<number>) => void = () => {};
  #isEnding = false;

  constructor({ program, args, log }: PairOptions) {
    this.#log = log;
    this.#ended = new Promise((resolve) => (this.#resolve = resolve));
    this.#ctrl = this.#supervise(program, ["ctrl", ...args]);
    this.#edge = this.#supervise(program, ["edge", ...args]);
  }

  /** Starts both. Resolves with the exit status when both have ended. */
  async run(): Promise<number> {
    this.#ctrl.start();
    this.#edge.start();
    return await this.#ended;
  }

  /** The edge first: its requests finish while ctrl still answers. */
  drain(): void {
    this.#end(async () => {
      const end = await this.#edge.stop("SIGTERM");
      await this.#ctrl.stop("SIGTERM");
      return end.code ?? 1;
    });
  }

  /** After a rotation: the edge opens its access log anew. */
  reopenLogs(): void {
    this.#edge.signal("SIGUSR2");
  }

  kill(): void {
    this.#edge.kill();
    this.#ctrl.kill();
  }

  #supervise(program: string, args: readonly string[]): Supervised {
    const [child = ""] = args;
    return new Supervised(program, args, {
      onNeverReady: (end) => {
        this.#log.error({ child, ...end }, "could not start");
        this.#end(async () => await this.#giveUp(end));
      },
      onFinished: () => this.drain(),
      onRestart: (end, pauseMs) => this.#log.error({ child, ...end, pauseMs }, "died; starting it again"),
    });
  }

  /** What went wrong was said by the child that could not start. */
  async #giveUp({ code }: ChildEnd): Promise<number> {
    await Promise.all([this.#edge.stop("SIGTERM"), this.#ctrl.stop("SIGTERM")]);
    return code === exitUsage ? exitUsage : 1;
  }

  #end(how: () => Promise<number>): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#resolve(how());
  }
}
