// One edge: what it has, what it was offered, what it said.
//
// At most one table is under way. What becomes current meanwhile waits, and only the newest of it: a slow edge costs one table of memory,
// skips what it was too slow for, and what it serves is certain when the next difference is made.
import type { Socket } from "node:net";
import {
  aliveEveryMs,
  type EdgeMessage,
  type EncodedTable,
  encodeFrame,
  FrameDecoder,
  type HelloMessage,
  type ListenerStatus,
  maxGreetingBytes,
  type Message,
  protocolVersion,
  silenceLimitMs,
  type WorkerStatus,
} from "@sluice/core/wire";
import type { EdgeNack, EdgeStatus, SentCommit } from "./edge-status.ts";
import { type Base, type CommitFrame, type CommitFrames, frameForInventory } from "./commit-frames.ts";

export interface EdgeTiming {
  /** A peer that connects and says nothing is no edge. */
  readonly helloTimeoutMs: number;
  /** Applying the largest table takes seconds. An edge that has not answered for so long is cut off; it comes back and says what it has. */
  readonly answerTimeoutMs: number;
  readonly aliveEveryMs: number;
  readonly silenceLimitMs: number;
}

export const defaultTiming: EdgeTiming = {
  helloTimeoutMs: 10_000,
  answerTimeoutMs: 60_000,
  aliveEveryMs,
  silenceLimitMs,
};

/** An edge that was told why it is refused has this long to read it. */
const farewellMs = 1_000;

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

export interface EdgeConnectionOptions {
  readonly ctrlUrl: string;
  /** See `EdgeStatus.address`. */
  readonly address: string;
  /** Why the peer may not be the edge it says it is; null when it may. */
  findObjection(edgeId: string): string | null;
  readonly frames: CommitFrames;
  readonly timing: EdgeTiming;
}

export class EdgeConnection {
  readonly connectedSinceMs = Date.now();
  /** Resolves after `onClose`. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #options: EdgeConnectionOptions;
  readonly #events: EdgeConnectionEvents;
  readonly #decoder = new FrameDecoder("edge", maxGreetingBytes);
  #hello: HelloMessage | null = null;
  /** What it serves, where that is known here; null: nothing, or see `#inventory`. */
  #base: Base | null = null;
  /** What it holds where its version is not known here: `awaited` until it has said so. Null: `#base` says all. */
  #inventory: ReadonlySet<string> | "awaited" | null = null;
  #version: string | null = null;
  #underWay: EncodedTable | null = null;
  #waiting: EncodedTable | null = null;
  #workers: readonly WorkerStatus[] = [];
  #listeners: readonly ListenerStatus[] = [];
  #nack: EdgeNack | null = null;
  #bytesSent = 0;
  #lastCommit: SentCommit | null = null;
  #timer: NodeJS.Timeout | null = null;
  #alive: NodeJS.Timeout | null = null;
  #heardAtMs = performance.now();
  #closeReason: string | null = null;

  constructor(socket: Socket, options: EdgeConnectionOptions, events: EdgeConnectionEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.#expectWithin(options.timing.helloTimeoutMs, "no hello");
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => this.close(error.message));
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#onClose();
        resolve();
      });
    });
  }

  get status(): EdgeStatus {
    return {
      id: this.#hello?.edgeId ?? "",
      productVersion: this.#hello?.productVersion ?? "",
      address: this.#options.address,
      connectedSinceMs: this.connectedSinceMs,
      version: this.#version,
      pending: this.#underWay?.version ?? null,
      workers: this.#workers,
      listeners: this.#listeners,
      nack: this.#nack,
      bytesSent: this.#bytesSent,
      lastCommit: this.#lastCommit,
    };
  }

  /** Sends the table, or keeps it until the edge has answered for the one under way. */
  offer(table: EncodedTable): void {
    if (this.#underWay !== null || this.#inventory === "awaited") {
      this.#waiting = this.#underWay?.version === table.version ? null : table;
      return;
    }
    if (!this.#sendCommit(table)) return;
    this.#underWay = table;
    this.#expectWithin(this.#options.timing.answerTimeoutMs, `no answer to version ${table.version}`);
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
    // One that is being sent away is not listened to.
    if (this.#closeReason !== null) return;
    this.#heardAtMs = performance.now();
    try {
      for (const message of this.#decoder.push(chunk)) if (this.#closeReason === null) this.#onMessage(message);
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
    }
  }

  #onMessage(message: EdgeMessage): void {
    if (this.#socket.destroyed) return;
    if (message.type === "hello") return this.#onHello(message);
    if (this.#hello === null) return this.close(`${message.type} before hello`);
    switch (message.type) {
      case "inventory":
        return this.#onInventory(message.have);
      case "ack":
        return this.#onAnswer(message.version, (table) => this.#onAck(table));
      case "nack":
        return this.#onAnswer(message.version, () => {
          const nack = { version: message.version, worker: message.worker, reason: message.reason, atMs: Date.now() };
          this.#nack = nack;
          return () => this.#events.onNack(this, nack);
        });
      case "status":
        this.#workers = message.workers;
        this.#listeners = message.listeners;
        return;
      case "alive":
    }
  }

  #onHello(hello: HelloMessage): void {
    if (this.#hello !== null) return this.close("hello twice");
    const objection = this.#options.findObjection(hello.edgeId);
    if (objection !== null) return this.#sendAway(objection);
    this.#hello = hello;
    this.#version = hello.version;
    this.#base = hello.version === null ? null : this.#options.frames.find(hello.version);
    const wantsInventory = hello.version !== null && this.#base === null;
    this.#inventory = wantsInventory ? "awaited" : null;
    this.#expectNothing();
    if (wantsInventory) this.#expectWithin(this.#options.timing.helloTimeoutMs, "no inventory");
    this.#send({ type: "welcome", protocol: protocolVersion, ctrlUrl: this.#options.ctrlUrl, wantsInventory });
    this.#keepAlive();
    this.#events.onHello(this);
  }

  #onInventory(have: readonly string[]): void {
    if (this.#inventory !== "awaited") return this.close("an inventory that was not asked");
    this.#inventory = new Set(have);
    this.#expectNothing();
    this.#offerWaiting();
  }

  #onAck(table: EncodedTable): () => void {
    // After a refusal the edge is offered what it serves already: its consent to that does not settle the refusal.
    if (table.version !== this.#version) this.#nack = null;
    this.#version = table.version;
    // Without the bytes: each edge that is behind would keep another table of them alive.
    this.#base = { version: table.version, manifest: table.manifest };
    this.#inventory = null;
    return () => this.#events.onAck(this, table.version);
  }

  /** An answer counts for the table under way only; `apply` returns what to announce once the edge is free for the next one. */
  #onAnswer(version: string, apply: (table: EncodedTable) => () => void): void {
    if (this.#underWay?.version !== version) return this.close(`an answer to version ${version}, which was not asked`);
    const announce = apply(this.#underWay);
    this.#underWay = null;
    this.#expectNothing();
    this.#offerWaiting();
    announce();
  }

  #offerWaiting(): void {
    const next = this.#waiting;
    this.#waiting = null;
    if (next !== null) this.offer(next);
  }

  #sendCommit(table: EncodedTable): boolean {
    let frame: CommitFrame;
    try {
      const inventory = this.#inventory instanceof Set ? (this.#inventory as ReadonlySet<string>) : null;
      frame = inventory === null ? this.#options.frames.from(this.#base, table) : frameForInventory(table, inventory);
    } catch (error) {
      this.#events.onUnsendable(this, table.version, error);
      return false;
    }
    if (!this.#write(frame.bytes)) return false;
    const { version } = table;
    this.#lastCommit = { version, bytes: frame.bytes.length, resources: frame.resourceCount, atMs: Date.now() };
    return true;
  }

  #send(message: Exclude<Message, { type: "commit" }>): void {
    this.#write(encodeFrame(message));
  }

  #write(frame: Uint8Array): boolean {
    if (this.#socket.destroyed) return false;
    this.#socket.write(frame);
    this.#bytesSent += frame.length;
    return true;
  }

  /** Says why before the end: an operator looks at the edge first. */
  #sendAway(reason: string): void {
    this.#closeReason = reason;
    this.#expectNothing();
    this.#socket.end(encodeFrame({ type: "refused", reason }));
    this.#timer = setTimeout(() => this.#socket.destroy(), farewellMs);
  }

  /** Both ways: an edge that is stopped keeps its connection, and one whose machine lost its power says nothing. */
  #keepAlive(): void {
    const { aliveEveryMs: everyMs, silenceLimitMs: limitMs } = this.#options.timing;
    this.#alive = setInterval(() => {
      this.#send({ type: "alive" });
      if (performance.now() - this.#heardAtMs > limitMs) this.close(`silent for ${limitMs / 1000} s`);
    }, everyMs);
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
    if (this.#alive !== null) clearInterval(this.#alive);
    if (!this.#decoder.isIdle) this.#closeReason ??= "the stream ended inside a frame";
    this.#events.onClose(this, this.#closeReason);
  }
}
