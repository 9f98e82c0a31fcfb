// An edge reduced to its end of the control socket.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type CommitMessage,
  type CtrlMessage,
  type EdgeMessage,
  encodeFrame,
  FrameDecoder,
  protocolVersion,
} from "@sluice/core/wire";

export class FakeEdge implements Disposable {
  readonly socket: Socket;
  readonly #messages: CtrlMessage[] = [];
  #onMessage: (() => void) | null = null;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    const decoder = new FrameDecoder("ctrl");
    socket.on("data", (chunk: Buffer) => {
      this.#messages.push(...decoder.push(chunk));
      this.#onMessage?.();
    });
    socket.on("error", () => {});
  }

  static async connect(path: string): Promise<FakeEdge> {
    const socket = connect(path);
    await once(socket, "connect");
    return new FakeEdge(socket);
  }

  /** Connects, says hello and takes the welcome. */
  static async greet(
    path: string,
    edgeId: string,
    have: readonly string[] = [],
    version: string | null = null,
  ): Promise<FakeEdge> {
    const edge = await FakeEdge.connect(path);
    edge.say({ type: "hello", protocol: protocolVersion, edgeId, productVersion: "0", have, version });
    await edge.expect("welcome");
    return edge;
  }

  say(message: EdgeMessage): void {
    this.socket.write(encodeFrame(message));
  }

  ack(version: string): void {
    this.say({ type: "ack", version, workers: [{ worker: 1, pid: 10, appliedMs: 5 }] });
  }

  nack(version: string, reason: string): void {
    this.say({ type: "nack", version, worker: 1, reason });
  }

  /** The next message, which must be of this type. */
  async expect<Type extends CtrlMessage["type"]>(type: Type): Promise<Extract<CtrlMessage, { type: Type }>> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#onMessage = resolve));
    const message = this.#messages.shift() as CtrlMessage;
    if (message.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
    return message as Extract<CtrlMessage, { type: Type }>;
  }

  /** The next message, a commit, answered with an ack. */
  async accept(): Promise<CommitMessage> {
    const commit = await this.expect("commit");
    this.ack(commit.version);
    return commit;
  }

  /** Messages that have arrived and were not taken. */
  get unread(): number {
    return this.#messages.length;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
