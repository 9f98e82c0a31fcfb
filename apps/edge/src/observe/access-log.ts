// The access log: where lines go and in which format. They are gathered (line-buffer.ts) and written through pino's destination, which does
// not block the event loop; what is gathered is written four times a second and at the end.
import { fstatSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { pino } from "pino";
import type { Exchange } from "../exchange/exchange.ts";
import type { NetworkConnection } from "../exchange/network-handler.ts";
import { type AccessLogEntry, accessLogEntry, connectionLogEntry, formatText } from "./access-log-entry.ts";
import { LineBuffer } from "./line-buffer.ts";

export interface AccessLogOptions {
  /** A file, `/dev/stdout`, `/dev/stderr`, or `off`. */
  readonly path: string;
  readonly format: "text" | "json";
}

/** Paths that are open already. Standard output is the one that the primary gives its workers (primary/main.ts). */
const descriptors: Readonly<Record<string, number>> = { "/dev/stdout": 4, "/dev/stderr": 2 };

const flushMs = 250;
const endMs = 2000;
/** What is written into a pipe stays in one piece up to `PIPE_BUF` (POSIX, 4,096 bytes on Linux): lines of two workers do not mix. */
const pipeBytes = 4096;
const fileBytes = 65_536;

/** What is used of pino's destination; its types do not know that it takes bytes. */
interface Destination {
  write(lines: Uint8Array): void;
  flush(written?: () => void): void;
  flushSync(): void;
  reopen(): void;
}

export class AccessLog {
  readonly isOn: boolean;
  readonly #output: { readonly destination: Destination; readonly lines: LineBuffer } | null;
  readonly #isJson: boolean;
  readonly #isFile: boolean;
  #isEnding = false;

  constructor({ path, format }: AccessLogOptions) {
    this.isOn = path !== "off";
    this.#isJson = format === "json";
    this.#isFile = this.isOn && !Object.hasOwn(descriptors, path);
    this.#output = this.isOn ? this.#open(path) : null;
    if (this.isOn) setInterval(() => this.#pass(), flushMs).unref();
  }

  #open(path: string): { destination: Destination; lines: LineBuffer } {
    const descriptor = descriptors[path];
    const bytes = descriptor !== undefined && isPipe(descriptor) ? pipeBytes : fileBytes;
    // A full pipe is tried again every 100 ms; at the end that would be for ever, and the process with it.
    const destination = openDestination(descriptor ?? path, bytes, () => !this.#isEnding);
    return { destination, lines: new LineBuffer(bytes, (lines) => destination.write(lines)) };
  }

  write(exchange: Exchange): void {
    this.#write(accessLogEntry(exchange));
  }

  writeConnection(connection: NetworkConnection): void {
    this.#write(connectionLogEntry(connection));
  }

  #write(entry: AccessLogEntry): void {
    // Not through a pino logger: without a level and a time of its own it writes `{,"start_time":...`, which no reader takes.
    this.#output?.lines.add(this.#isJson ? `${JSON.stringify(entry)}\n` : formatText(entry));
  }

  #pass(): void {
    this.#output?.lines.flush();
    this.#output?.destination.flush();
  }

  /** Opens the file anew, after a rotation moved the old one away. Nothing where there is no file: pino throws at descriptors. */
  reopen(): void {
    if (!this.#isFile) return;
    this.#output?.lines.flush();
    this.#output?.destination.reopen();
  }

  /** Writes what is gathered. A reader that has stopped reading is waited for, but not for ever. */
  async end(): Promise<void> {
    if (this.#output === null) return;
    const { destination, lines } = this.#output;
    lines.flush();
    const written = () => new Promise<void>((resolve) => destination.flush(() => resolve()));
    // pino calls back when little is left, not when nothing is.
    await Promise.race([written().then(written), setTimeout(endMs, undefined, { ref: false })]);
  }

  /** Writes before it returns what is gathered and can be written without waiting. */
  flush(): void {
    this.#isEnding = true;
    try {
      this.#output?.lines.flush();
      this.#output?.destination.flushSync();
    } catch {
      // Not opened yet, or its reader is gone or asleep: nothing can be saved.
    }
  }
}

function isPipe(descriptor: number): boolean {
  const stats = fstatSync(descriptor);
  return stats.isFIFO() || stats.isSocket();
}

/** @param bytes what is written at once, at most */
function openDestination(dest: string | number, bytes: number, retryEAGAIN: () => boolean): Destination {
  const destination = pino.destination({
    dest,
    sync: false,
    contentMode: "buffer",
    // Half of what is gathered, so that it is written when it comes and the little that is left at the end when it is flushed.
    minLength: bytes / 2,
    maxWrite: bytes,
    maxLength: 16_777_216,
    mkdir: true,
    retryEAGAIN,
  });
  // A full disk or a closed pipe must not take the gateway down; pino drops lines beyond maxLength.
  destination.on("error", () => {});
  return destination as unknown as Destination;
}
