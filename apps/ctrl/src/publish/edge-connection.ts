// One edge on the control socket: what it has, what it was offered, what it said.
//
// At most one table is under way. What becomes current meanwhile waits, and only the newest of it: a slow edge costs one table of memory,
// skips what it was too slow for, and the digests it holds are certain when the next difference is made.
import type { Socket } from "node:net";
import {
  type CommitMessage,
  type EdgeMessage,
  type EncodedTable,
  type HelloMessage,
  type ListenerStatus,
  type Message,
  type WorkerStatus,
  encodeFrame,
  FrameDecoder,
  protocolVersion,
} from "@sluice/core/wire";

/** A peer that connects and says nothing is no edge. */
const helloTimeoutMs = 10_000;
/** Applying the largest table takes seconds. An edge silent for this long is cut off; it comes back and says what it has. */
const answerTimeoutMs = 60_000;

export interface EdgeNack {
  readonly version: string;
  readonly worker: number | null;
  readonly reason: string;
  readonly atMs: number;
}

export interface EdgeStatus {
  readonly id: string;
  readonly productVersion: string;
  readonly connectedSinceMs: number;
  /** The version it last said to serve. */
  readonly version: string | null;
  /** The version it was sent and has not answered for. */
  readonly pending: string | null;
  readonly workers: readonly (WorkerStatus & { readonly appliedMs: number | null })[];
  readonly listeners: readonly ListenerStatus[];
  /** The last refusal, until it serves another version than it did then. */
  readonly nack: EdgeNack | null;
}

export interface EdgeConnectionEvents {
  /** Said hello, and was welcomed. */
  onHello(edge: EdgeConnection): void;
  onAck(edge: EdgeConnection, version: string): void;
  onNack(edge: EdgeConnection, nack: EdgeNack): void;
  /** A table too large for the wire. */
  onUnsendable(edge: EdgeConnection, version: string, error: unknown): void;
  /** The last event. `reason` is null when the edge went away by itself between frames. */
  onClose(edge: EdgeConnection, reason: string | null): void;
}

export class EdgeConnection {
  readonly connectedSinceMs = Date.now();
  readonly #socket: Socket;
  readonly #ctrlUrl: string;
  readonly #events: EdgeConnectionEvents;
  readonly #decoder = new FrameDecoder("edge");
  #hello: HelloMessage | null = null;
  #has: ReadonlySet<string> = new Set();
  #version: string | null = null;
  #underWay: EncodedTable | null = null;
  #waiting: EncodedTable | null = null;
  #workers: readonly WorkerStatus[] = [];
  #listeners: readonly ListenerStatus[] = [];
  #appliedMs: ReadonlyMap<number, number> = new Map();
  #nack: EdgeNack | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closeReason: string | null = null;

  constructor(socket: Socket, ctrlUrl: string, events: EdgeConnectionEvents) {
    this.#socket = socket;
    this.#ctrlUrl = ctrlUrl;
    this.#events = events;
    this.#expectWithin(helloTimeoutMs, "no hello");
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => this.close(error.message));
    socket.on("close", () => this.#onClose());
  }

  get status(): EdgeStatus {
    return {
      id: this.#hello?.edgeId ?? "",
      productVersion: this.#hello?.productVersion ?? "",
      connectedSinceMs: this.connectedSinceMs,
      version: this.#version,
      pending: this.#underWay?.version ?? null,
      workers: this.#workers.map((worker) => ({
        ...worker,
        appliedMs: worker.version === this.#version ? (this.#appliedMs.get(worker.worker) ?? null) : null,
      })),
      listeners: this.#listeners,
      nack: this.#nack,
    };
  }

  /** Sends the table, or keeps it until the edge has answered for the one under way. */
  offer(table: EncodedTable): void {
    if (this.#underWay !== null) {
      this.#waiting = this.#underWay.version === table.version ? null : table;
      return;
    }
    if (this.#send(toCommit(table, this.#has))) {
      this.#underWay = table;
      this.#expectWithin(answerTimeoutMs, `no answer to version ${table.version}`);
    }
  }

  /** Tells an edge that has nothing to serve why. */
  refuse(reason: string): void {
    this.#send({ type: "refused", reason });
  }

  close(reason: string | null = null): void {
    this.#closeReason ??= reason;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    try {
      for (const message of this.#decoder.push(chunk)) this.#onMessage(message);
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
    }
  }

  #onMessage(message: EdgeMessage): void {
    if (this.#socket.destroyed) return;
    if (message.type === "hello") return this.#onHello(message);
    if (this.#hello === null) return this.close(`${message.type} before hello`);
    switch (message.type) {
      case "ack":
        return this.#onAnswer(message.version, () => {
          // After a refusal the edge is offered what it serves already: its consent to that does not settle the refusal.
          if (message.version !== this.#version) this.#nack = null;
          this.#version = message.version;
          this.#has = digestsOf(this.#underWay);
          this.#appliedMs = new Map(message.workers.map(({ worker, appliedMs }) => [worker, appliedMs]));
          return () => this.#events.onAck(this, message.version);
        });
      case "nack":
        return this.#onAnswer(message.version, () => {
          const nack = { version: message.version, worker: message.worker, reason: message.reason, atMs: Date.now() };
          this.#nack = nack;
          return () => this.#events.onNack(this, nack);
        });
      case "status":
        this.#workers = message.workers;
        this.#listeners = message.listeners;
    }
  }

  #onHello(hello: HelloMessage): void {
    if (this.#hello !== null) return this.close("hello twice");
    this.#hello = hello;
    this.#has = new Set(hello.have);
    this.#version = hello.version;
    this.#expectNothing();
    this.#send({ type: "welcome", protocol: protocolVersion, ctrlUrl: this.#ctrlUrl });
    this.#events.onHello(this);
  }

  /** An answer counts for the table under way only; `apply` returns what to announce once the edge is free for the next one. */
  #onAnswer(version: string, apply: () => () => void): void {
    if (this.#underWay?.version !== version) return this.close(`an answer to version ${version}, which was not asked`);
    const announce = apply();
    this.#underWay = null;
    this.#expectNothing();
    const next = this.#waiting;
    this.#waiting = null;
    if (next !== null) this.offer(next);
    announce();
  }

  #send(message: Message): boolean {
    if (this.#socket.destroyed) return false;
    try {
      this.#socket.write(encodeFrame(message));
      return true;
    } catch (error) {
      if (message.type === "commit") this.#events.onUnsendable(this, message.version, error);
      return false;
    }
  }

  #expectWithin(timeoutMs: number, otherwise: string): void {
    this.#expectNothing();
    this.#timer = setTimeout(() => this.close(`${otherwise} within ${timeoutMs / 1000} s`), timeoutMs);
  }

  #expectNothing(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #onClose(): void {
    this.#expectNothing();
    if (!this.#decoder.isIdle) this.#closeReason ??= "the stream ended inside a frame";
    this.#events.onClose(this, this.#closeReason);
  }
}

/** What the edge lacks of the table. */
function toCommit(table: EncodedTable, has: ReadonlySet<string>): CommitMessage {
  const resources = [...table.resources].filter(([digest]) => !has.has(digest));
  return { type: "commit", version: table.version, manifest: table.manifest, resources };
}

function digestsOf(table: EncodedTable | null): ReadonlySet<string> {
  return new Set(table?.resources.keys());
}
