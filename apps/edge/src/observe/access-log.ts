// The access log: where lines go and in which format. Written through pino's destination, which gathers lines and writes them
// without blocking the event loop; what is buffered is flushed four times a second and at the end.
import { type DestinationStream, pino } from "pino";
import type { Exchange } from "../exchange/exchange.ts";
import type { NetworkConnection } from "../exchange/network-handler.ts";
import { type AccessLogEntry, accessLogEntry, connectionLogEntry, formatText } from "./access-log-entry.ts";

export interface AccessLogOptions {
  /** A file, `/dev/stdout`, `/dev/stderr`, or `off`. */
  readonly path: string;
  readonly format: "text" | "json";
}

/** Paths that are open already. Standard output is the one that the primary gives its workers (primary/main.ts). */
const descriptors: Readonly<Record<string, number>> = { "/dev/stdout": 4, "/dev/stderr": 2 };

type Destination = DestinationStream & {
  flushSync(): void;
  reopen(): void;
  on(event: "error", listener: () => void): void;
};

export class AccessLog {
  readonly isOn: boolean;
  readonly #destination: Destination | null;
  readonly #isJson: boolean;
  readonly #isFile: boolean;

  constructor(options: AccessLogOptions) {
    this.isOn = options.path !== "off";
    this.#destination = this.isOn ? openDestination(options.path) : null;
    this.#isJson = options.format === "json";
    this.#isFile = this.isOn && !Object.hasOwn(descriptors, options.path);
  }

  write(exchange: Exchange): void {
    this.#write(accessLogEntry(exchange));
  }

  writeConnection(connection: NetworkConnection): void {
    this.#write(connectionLogEntry(connection));
  }

  #write(entry: AccessLogEntry): void {
    // Not through a pino logger: without a level and a time of its own it writes `{,"start_time":...`, which no reader takes.
    this.#destination?.write(this.#isJson ? `${JSON.stringify(entry)}\n` : formatText(entry));
  }

  /** Opens the file anew, after a rotation moved the old one away. Nothing where there is no file: pino throws at descriptors. */
  reopen(): void {
    if (this.#isFile) this.#destination?.reopen();
  }

  /** Writes what is buffered. */
  flush(): void {
    try {
      this.#destination?.flushSync();
    } catch {
      // Not opened yet, or its reader is gone: nothing can be saved.
    }
  }
}

function openDestination(path: string): Destination {
  const dest = descriptors[path] ?? path;
  const destination = pino.destination({
    dest,
    sync: false,
    minLength: 8192,
    maxLength: 16_777_216,
    periodicFlush: 250,
    mkdir: true,
  });
  // A full disk or a closed pipe must not take the gateway down; pino drops lines beyond maxLength.
  destination.on("error", () => {});
  return destination;
}
