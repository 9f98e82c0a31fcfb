// How an edge ends: the first request to end drains, the same request again ends at once.
import type { Logger } from "pino";
import type { Edge } from "./edge.ts";

/** A signal that comes again this soon is the same one: tools that signal a process and its group (timeout, a shell's kill) send two. */
const sameSignalMs = 50;

export class Shutdown {
  readonly #edge: Edge;
  readonly #log: Logger;
  #cause: string | null = null;
  #sinceMs = 0;

  constructor(edge: Edge, log: Logger) {
    this.#edge = edge;
    this.#log = log;
  }

  /** Ends on signals, and when the supervisor is gone: nobody would look after this process, and the next one would find its ports taken. */
  listen(): void {
    process.on("SIGTERM", () => this.begin("SIGTERM"));
    process.on("SIGINT", () => this.begin("SIGINT"));
    process.on("disconnect", () => this.begin("the supervisor is gone"));
  }

  begin(cause: string): void {
    if (this.#cause !== null) return this.#again(cause);
    this.#cause = cause;
    this.#sinceMs = performance.now();
    this.#log.info({ cause }, "draining");
    void this.#edge.drain().then(() => {
      this.#log.info("drained");
      process.exit(0);
    });
  }

  /** Under `sluice up` a group's signal comes beside the supervisor's own, and it is the supervisor that ends this process when asked again. */
  #again(cause: string): void {
    const isSame = cause !== this.#cause || performance.now() - this.#sinceMs < sameSignalMs;
    if (isSame || process.send !== undefined) return;
    this.#log.warn(`second ${cause}; exiting at once`);
    this.#edge.pool.kill();
    process.exit(1);
  }
}
