// An edge reduced to its end of the control socket.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type CommitMessage,
  type CtrlMessage,
  type EdgeMessage,
  encodeFrame,
  FrameDecoder,
  type ManifestEntry,
  patchManifest,
  protocolVersion,
} from "@sluice/core/wire";

/** A commit, and the manifest of the table that it led to. */
export type AcceptedCommit = CommitMessage & { readonly manifest: readonly ManifestEntry[] };

export class FakeEdge implements Disposable {
  readonly socket: Socket;
  readonly #messages: CtrlMessage[] = [];
  #onMessage: (() => void) | null = null;
  #live: { readonly version: string | null; readonly manifest: readonly ManifestEntry[] } = {
    version: null,
    manifest: [],
  };
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
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

  /** Connects, says hello and takes the welcome; with `have`, as an edge that has these resources, of a version that ctrl need not know. */
  static async greet(
    path: string,
    edgeId: string,
    have?: readonly string[],
    version = have === undefined ? null : "unknown",
  ): Promise<FakeEdge> {
    const edge = await FakeEdge.connect(path);
    await edge.greet(edgeId, version);
    if (have !== undefined) edge.say({ type: "inventory", have });
    return edge;
  }

  /** Says hello and takes the welcome. */
  async greet(edgeId: string, version: string | null = null): Promise<void> {
    this.say({ type: "hello", protocol: protocolVersion, edgeId, productVersion: "0", version });
    await this.expect("welcome");
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
    while (this.unread === 0) {
      await Promise.race([new Promise<void>((resolve) => (this.#onMessage = resolve)), this.#closedEarly(type)]);
    }
    const index = this.#messages.findIndex((one) => one.type !== "alive");
    const [message] = this.#messages.splice(0, index + 1).slice(-1) as [CtrlMessage];
    if (message.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
    return message as Extract<CtrlMessage, { type: Type }>;
  }

  /** The next message, a commit, answered with an ack. */
  async accept(): Promise<AcceptedCommit> {
    const commit = await this.expect("commit");
    if (commit.base !== null && commit.base !== this.#live.version)
      throw new Error(`a commit on version ${commit.base}; ${this.#live.version} is live`);
    const manifest = patchManifest(commit.base === null ? [] : this.#live.manifest, commit);
    this.#live = { version: commit.version, manifest };
    this.ack(commit.version);
    return { ...commit, manifest };
  }

  /** Messages that have arrived and were not taken; signs of life do not count. */
  get unread(): number {
    return this.#messages.filter(({ type }) => type !== "alive").length;
  }

  async #closedEarly(type: string): Promise<never> {
    await this.closed;
    throw new Error(`expected ${type}, but the connection is closed`);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
