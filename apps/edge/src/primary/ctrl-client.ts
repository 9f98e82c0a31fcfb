// The connection to ctrl: says what the edge has, takes tables, reports back. Without ctrl the edge goes on serving; it keeps trying.
//
// An edge stays with the ctrl it is connected to while that is alive, and tries the same one first when the connection is lost: two ctrls
// may serve two versions, and every change of ctrl may be a change of version.
import type { Socket } from "node:net";
import {
  aliveEveryMs,
  type CommitMessage,
  type CtrlMessage,
  type EdgeMessage,
  encodeFrame,
  FrameDecoder,
  type HelloMessage,
  maxGreetingBytes,
  silenceLimitMs,
} from "@sluice/core/wire";
import type { Logger } from "pino";
import type { CtrlTarget } from "./ctrl-target.ts";

/** One connection, for those who answer what came over it. Once it is gone nothing is sent any more: another ctrl did not ask. */
export interface CtrlLink {
  send(message: EdgeMessage): void;
  /** Ends the connection. */
  drop(reason: string): void;
  /** Ends it because the two ends do not agree on what is live here: the next hello, to the same ctrl, will tell. */
  resync(reason: string): void;
  readonly isOpen: boolean;
}

export interface CtrlEvents {
  /** What to say first on a new connection. */
  hello(): HelloMessage;
  onWelcome(ctrlUrl: string, wantsInventory: boolean, link: CtrlLink): void;
  onCommit(message: CommitMessage, link: CtrlLink): void;
  onRefused(reason: string): void;
}

export interface CtrlTiming {
  readonly minPauseMs: number;
  readonly maxPauseMs: number;
  /** From the start of a connection to ctrl's welcome. */
  readonly welcomeTimeoutMs: number;
  readonly aliveEveryMs: number;
  readonly silenceLimitMs: number;
  /** A connection that lives less is a failed attempt: a ctrl that lets everybody in and drops them is not returned to at once. */
  readonly healthyLifeMs: number;
}

const defaultTiming: CtrlTiming = {
  minPauseMs: 50,
  maxPauseMs: 2_000,
  welcomeTimeoutMs: 5_000,
  aliveEveryMs,
  silenceLimitMs,
  healthyLifeMs: 5_000,
};

export interface ReceivedCounts {
  /** Of ctrl, since the start. */
  bytes: number;
  /** Connections that were welcomed. */
  connections: number;
}

export class CtrlClient {
  readonly #targets: readonly CtrlTarget[];
  readonly #events: CtrlEvents;
  readonly #log: Logger;
  readonly #timing: CtrlTiming;
  readonly received: ReceivedCounts = { bytes: 0, connections: 0 };
  #index = 0;
  /** Targets tried since the last that welcomed. */
  #tried = 0;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pauseMs: number;
  #welcomedAtMs: number | null = null;
  /** The connection that ends now is to be made anew, with the same ctrl. */
  #isResync = false;
  #isClosed = false;
  /** By target. */
  readonly #lastProblems = new Map<CtrlTarget, string>();

  /** @param targets in order of preference; at least one */
  constructor(targets: readonly CtrlTarget[], events: CtrlEvents, log: Logger, timing: Partial<CtrlTiming> = {}) {
    this.#targets = targets;
    this.#events = events;
    this.#log = log;
    this.#timing = { ...defaultTiming, ...timing };
    this.#pauseMs = this.#timing.minPauseMs;
  }

  /** Who is connected; null when nobody is. */
  get connectedTo(): string | null {
    return this.#welcomedAtMs === null ? null : this.#target.name;
  }

  start(): void {
    this.#timer = null;
    if (this.#isClosed) return;
    try {
      const { socket, readyEvent } = this.#target.open();
      this.#attend(socket, readyEvent);
    } catch (error) {
      this.#report(error);
      this.#tryNext();
    }
  }

  /** To whoever is connected. */
  send(message: EdgeMessage): void {
    if (this.#socket !== null) write(this.#socket, message);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  get #target(): CtrlTarget {
    const target = this.#targets[this.#index];
    if (target === undefined) throw new Error("there is no ctrl to connect to");
    return target;
  }

  #attend(socket: Socket, readyEvent: string): void {
    this.#socket = socket;
    const decoder = new FrameDecoder("ctrl", maxGreetingBytes);
    const link: CtrlLink = {
      send: (message) => write(socket, message),
      drop: (reason) => void socket.destroy(new Error(reason)),
      resync: (reason) => {
        this.#isResync = true;
        link.drop(reason);
      },
      get isOpen() {
        return !socket.destroyed;
      },
    };
    const { welcomeTimeoutMs, silenceLimitMs: limitMs } = this.#timing;
    const deadline = setTimeout(() => link.drop(`no welcome within ${welcomeTimeoutMs / 1000} s`), welcomeTimeoutMs);
    let heardAtMs = performance.now();
    let alive: NodeJS.Timeout | undefined;
    // Not a byte before it is known who answers.
    socket.once(readyEvent, () => {
      link.send(this.#events.hello());
      alive = setInterval(() => {
        link.send({ type: "alive" });
        if (performance.now() - heardAtMs > limitMs) link.drop(`ctrl is silent for ${limitMs / 1000} s`);
      }, this.#timing.aliveEveryMs);
    });
    socket.on("data", (chunk: Buffer) => {
      heardAtMs = performance.now();
      this.received.bytes += chunk.length;
      try {
        for (const message of decoder.push(chunk)) if (!socket.destroyed) this.#onMessage(message, link, deadline);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on("error", (error) => this.#report(error));
    socket.on("close", () => {
      clearTimeout(deadline);
      clearInterval(alive);
      this.#onClose();
    });
  }

  #onMessage(message: CtrlMessage, link: CtrlLink, deadline: NodeJS.Timeout): void {
    switch (message.type) {
      case "welcome":
        clearTimeout(deadline);
        return this.#onWelcome(message.ctrlUrl, message.wantsInventory, link);
      case "commit":
        if (this.#welcomedAtMs === null) return link.drop("a table before the welcome");
        return this.#events.onCommit(message, link);
      case "refused":
        // Before the welcome it is the edge that is refused.
        if (this.#welcomedAtMs === null) return link.drop(`ctrl refuses this edge: ${message.reason}`);
        return this.#events.onRefused(message.reason);
      case "alive":
    }
  }

  #onWelcome(ctrlUrl: string, wantsInventory: boolean, link: CtrlLink): void {
    this.#welcomedAtMs = performance.now();
    this.#lastProblems.clear();
    this.received.connections++;
    this.#log.info({ ctrl: ctrlUrl, address: this.#target.name }, "connected to ctrl");
    this.#events.onWelcome(ctrlUrl, wantsInventory, link);
  }

  #onClose(): void {
    const [welcomedAtMs, isResync] = [this.#welcomedAtMs, this.#isResync];
    this.#socket = null;
    this.#welcomedAtMs = null;
    this.#isResync = false;
    if (this.#isClosed) return;
    if (welcomedAtMs === null) return this.#tryNext();
    if (isResync) return this.#tryLater();
    this.#log.warn({ address: this.#target.name }, "ctrl is gone; serving what is live");
    if (performance.now() - welcomedAtMs < this.#timing.healthyLifeMs) return this.#tryNext();
    this.#tried = 0;
    this.#pauseMs = this.#timing.minPauseMs;
    // The same one first: ctrl may only have been restarted.
    this.#tryAfter(this.#pauseMs);
  }

  /** The next in order after a short pause; once all were tried, after one that doubles. */
  #tryNext(): void {
    this.#index = (this.#index + 1) % this.#targets.length;
    this.#tried++;
    if (this.#tried % this.#targets.length > 0) return this.#tryAfter(this.#timing.minPauseMs);
    this.#tryLater();
  }

  #tryLater(): void {
    this.#tryAfter(this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#timing.maxPauseMs);
  }

  /** Jittered, so that a tier of edges does not come back in one wave. */
  #tryAfter(pauseMs: number): void {
    this.#timer = setTimeout(() => this.start(), pauseMs * (0.5 + Math.random()));
  }

  /** Each kind of problem once, not once an attempt. */
  #report(error: unknown): void {
    const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
    const problem = code ?? message;
    if (problem === this.#lastProblems.get(this.#target)) return;
    this.#lastProblems.set(this.#target, problem);
    const level = problem === "ENOENT" || problem === "ECONNREFUSED" ? "info" : "warn";
    this.#log[level]({ problem, detail: message }, `cannot reach ctrl at ${this.#target.name}; trying on`);
  }
}

function write(socket: Socket, message: EdgeMessage): void {
  if (socket.readyState === "open") socket.write(encodeFrame(message));
}
