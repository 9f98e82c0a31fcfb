// The access log: where lines go and in which format. Written through pino's destination, which gathers lines and writes them
// without blocking the event loop; what is buffered is flushed four times a second and at the end.
import { type DestinationStream, type Logger, pino } from "pino";
import type { Exchange } from "../exchange/exchange.ts";
import type { NetworkConnection } from "../exchange/network-handler.ts";
import { type AccessLogEntry, accessLogEntry, connectionLogEntry, formatText } from "./access-log-entry.ts";

export interface AccessLogOptions {
  /** A file, `/dev/stdout`, `/dev/stderr`, or `off`. */
  readonly path: string;
  readonly format: "text" | "json";
}

/** The descriptor that the primary gives its workers for standard output (primary/main.ts). */
const standardOutput = 4;

type Destination = DestinationStream & {
  flushSync(): void;
  reopen(): void;
  on(event: "error", listener: () => void): void;
};

export class AccessLog {
  readonly isOn: boolean;
  readonly #destination: Destination | null;
  readonly #json: Logger | null;

  constructor(options: AccessLogOptions) {
    this.isOn = options.path !== "off";
    this.#destination = this.isOn ? openDestination(options.path) : null;
    this.#json =
      this.#destination !== null && options.format === "json"
        ? pino({ base: null, timestamp: false, formatters: { level: () => ({}) } }, this.#destination)
        : null;
  }

  write(exchange: Exchange): void {
    this.#write(accessLogEntry(exchange));
  }

  writeConnection(connection: NetworkConnection): void {
    this.#write(connectionLogEntry(connection));
  }

  #write(entry: AccessLogEntry): void {
    if (this.#json !== null) this.#json.info(entry);
    else this.#destination?.write(formatText(entry));
  }

  /** Opens the file anew, after a rotation moved the old one away. */
  reopen(): void {
    this.#destination?.reopen();
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
  const dest = path === "/dev/stdout" ? standardOutput : path === "/dev/stderr" ? 2 : path;
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
