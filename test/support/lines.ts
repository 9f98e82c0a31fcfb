// Waiting for a line of a program's output: the events that stories wait for instead of sleeping.
import type { Readable } from "node:stream";

interface Waiter {
  readonly accepts: (line: string) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

const timeoutMs = 30_000;

export class LineReader {
  /** Everything so far. */
  readonly lines: string[] = [];
  readonly #waiters = new Set<Waiter>();
  #rest = "";
  #isEnded = false;

  constructor(stream: Readable | null) {
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => this.#push(chunk));
    stream?.on("end", () => this.#end());
  }

  get text(): string {
    return this.lines.join("\n");
  }

  /** The next line that `accepts` takes, from now on. Rejects when the output ends or nothing comes for half a minute. */
  next(accepts: (line: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#isEnded) return reject(this.#error("the output has ended"));
      const settle =
        <Value>(action: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          action(value);
        };
      const waiter: Waiter = { accepts, resolve: settle(resolve), reject: settle(reject) };
      const timer = setTimeout(() => waiter.reject(this.#error(`no such line within ${timeoutMs} ms`)), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** The next line that is a JSON object which `accepts` takes. */
  async nextJson<Shape>(accepts: (value: Shape) => boolean): Promise<Shape> {
    const line = await this.next((text) => {
      const value = parseObject(text);
      return value !== null && accepts(value as Shape);
    });
    return JSON.parse(line) as Shape;
  }

  #push(chunk: string): void {
    const parts = (this.#rest + chunk).split("\n");
    this.#rest = parts.pop() ?? "";
    for (const line of parts) {
      this.lines.push(line);
      for (const waiter of this.#waiters) if (waiter.accepts(line)) waiter.resolve(line);
    }
  }

  #end(): void {
    this.#isEnded = true;
    for (const waiter of this.#waiters) waiter.reject(this.#error("the output ended"));
  }

  #error(problem: string): Error {
    return new Error(`${problem}; the last lines were:\n${this.lines.slice(-20).join("\n")}`);
  }
}

function parseObject(text: string): object | null {
  if (!text.startsWith("{")) return null;
  try {
    return JSON.parse(text) as object;
  } catch {
    return null;
  }
}
