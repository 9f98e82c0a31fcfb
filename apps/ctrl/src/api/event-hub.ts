// What happens, told to everybody who listens: server-sent events (HTML, section 9.2). A client that does not keep up is cut off, and may come
// back and say which event it saw last; the latest are kept for it.
import type { ServerResponse } from "node:http";

/** Every event, and what its data holds. */
export const eventTypes = {
  hello:
    "The stream begins: `number` and `version` that run now, and `missed: true` when events since Last-Event-ID are forgotten.",
  version:
    "A table became current: `version`, `number`, `origin` (directory, push, store, rollback), `source`, `changes` of the manifest.",
  attempt:
    "A configuration was compiled: `outcome` (published, repeat, invalid, withheld), `origin`, `version`, the first 20 `diagnostics` and how many were `omitted`.",
  edge: "An edge came or went: `edge`, `connected`, `reason`.",
  ack: "An edge serves a version in every worker: `edge`, `version`, `workers` with `appliedMs`.",
  nack: "An edge refused a version: `edge` (with the worker), `version`, `reason`, and `current`, the table that is sent instead.",
  rollback: "Pushes were taken back because an edge refused them: `number`, `refused`, `restores`, `reason`.",
} as const;

export type EventType = keyof typeof eventTypes;

/** For those who come back. */
const keptEvents = 256;
/** What a client may be behind. */
const maxQueuedBytes = 1024 * 1024;
const heartbeatMs = 15_000;

interface SentEvent {
  readonly serial: number;
  readonly text: string;
}

export class EventHub {
  readonly #clients = new Set<ServerResponse>();
  readonly #kept: SentEvent[] = [];
  /** Numbers begin anew with every process, so they carry its mark. */
  readonly #mark = Date.now().toString(36);
  #serial = 0;
  #heartbeat: NodeJS.Timeout | null = null;

  get clientCount(): number {
    return this.#clients.size;
  }

  emit(type: EventType, data: object): void {
    this.#serial++;
    const text = format(type, data, `${this.#mark}-${this.#serial}`);
    this.#kept.push({ serial: this.#serial, text });
    if (this.#kept.length > keptEvents) this.#kept.shift();
    for (const client of this.#clients) this.#send(client, text);
  }

  /** Begins a stream on a response whose head is not sent yet. */
  add(response: ServerResponse, hello: object, lastEventId: string | undefined): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const missed = this.#since(lastEventId);
    const isForgotten = missed === null ? { missed: true } : {};
    response.write(format("hello", { ...hello, ...isForgotten }, `${this.#mark}-${this.#serial}`));
    for (const { text } of missed ?? []) response.write(text);
    this.#clients.add(response);
    response.on("close", () => this.#remove(response));
    this.#heartbeat ??= setInterval(() => this.#beat(), heartbeatMs);
  }

  close(): void {
    for (const client of this.#clients) client.end();
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }

  /** Proxies and clients tell a quiet stream from a dead one by it. */
  #beat(): void {
    for (const client of this.#clients) this.#send(client, ": still here\n\n");
  }

  #send(client: ServerResponse, text: string): void {
    if (client.writableLength + text.length > maxQueuedBytes) client.destroy();
    else client.write(text);
  }

  #remove(client: ServerResponse): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0 || this.#heartbeat === null) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }

  /** What came after the event; nothing for a client that is new; null when that is not known. */
  #since(lastEventId: string | undefined): readonly SentEvent[] | null {
    if (lastEventId === undefined) return [];
    const [mark, number] = lastEventId.split("-");
    const serial = Number(number);
    const oldest = this.#kept[0]?.serial ?? this.#serial + 1;
    if (mark !== this.#mark || !Number.isSafeInteger(serial) || serial < oldest - 1) return null;
    return this.#kept.filter((event) => event.serial > serial);
  }
}

/** JSON has no line ends, so the data is one line. */
function format(type: EventType, data: object, id: string): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
