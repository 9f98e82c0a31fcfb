// The connection to ctrl: says what the edge has, takes tables, reports back. Without ctrl the edge goes on serving; it keeps trying.
import { connect, type Socket } from "node:net";
import {
  type CommitMessage,
  type CtrlMessage,
  type EdgeMessage,
  encodeFrame,
  FrameDecoder,
  type HelloMessage,
} from "@sluice/core/wire";
import type { ControlSocket } from "@sluice/core/settings";
import type { Logger } from "pino";
import { findSocketDirectoryProblem } from "./directories.ts";

export interface CtrlEvents {
  /** What to say first on a new connection. */
  hello(): HelloMessage;
  onWelcome(ctrlUrl: string): void;
  onCommit(message: CommitMessage): void;
  onRefused(reason: string): void;
  onDisconnected(): void;
}

const minPauseMs = 50;
const maxPauseMs = 2_000;

export class CtrlClient {
  readonly #place: ControlSocket;
  readonly #events: CtrlEvents;
  readonly #log: Logger;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pauseMs = minPauseMs;
  #isConnected = false;
  #isClosed = false;
  #lastProblem = "";

  constructor(place: ControlSocket, events: CtrlEvents, log: Logger) {
    this.#place = place;
    this.#events = events;
    this.#log = log;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  start(): void {
    this.#timer = null;
    if (this.#isClosed) return;
    // Each time: whoever listens there is believed, and given what this edge has.
    const { path, ownDirectory } = this.#place;
    const problem = ownDirectory === null ? null : findSocketDirectoryProblem(ownDirectory);
    if (problem !== null) {
      this.#report(new Error(problem));
      return this.#tryLater();
    }
    const socket = connect(path);
    const decoder = new FrameDecoder("ctrl");
    this.#socket = socket;
    socket.on("connect", () => this.send(this.#events.hello()));
    socket.on("data", (chunk) => {
      try {
        for (const message of decoder.push(chunk)) this.#onMessage(message);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on("error", (error: NodeJS.ErrnoException) => this.#report(error));
    socket.on("close", () => this.#onClose());
  }

  send(message: EdgeMessage): void {
    if (this.#socket?.readyState === "open") this.#socket.write(encodeFrame(message));
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #onMessage(message: CtrlMessage): void {
    switch (message.type) {
      case "welcome":
        this.#isConnected = true;
        this.#pauseMs = minPauseMs;
        this.#lastProblem = "";
        this.#log.info({ ctrl: message.ctrlUrl }, "connected to ctrl");
        return this.#events.onWelcome(message.ctrlUrl);
      case "commit":
        return this.#events.onCommit(message);
      case "refused":
        return this.#events.onRefused(message.reason);
    }
  }

  #onClose(): void {
    const wasConnected = this.#isConnected;
    this.#socket = null;
    this.#isConnected = false;
    if (this.#isClosed) return;
    if (wasConnected) {
      this.#log.warn("ctrl is gone; serving what is live");
      this.#events.onDisconnected();
    }
    this.#tryLater();
  }

  #tryLater(): void {
    // Jittered, so that a tier of edges does not come back in one wave.
    this.#timer = setTimeout(() => this.start(), this.#pauseMs * (0.5 + Math.random()));
    this.#pauseMs = Math.min(this.#pauseMs * 2, maxPauseMs);
  }

  /** Each kind of problem once, not once an attempt. */
  #report(error: NodeJS.ErrnoException): void {
    const problem = error.code ?? error.message;
    if (problem === this.#lastProblem) return;
    this.#lastProblem = problem;
    const level = problem === "ENOENT" || problem === "ECONNREFUSED" ? "info" : "warn";
    this.#log[level]({ problem }, `cannot reach ctrl at ${this.#place.path}; trying on`);
  }
}
