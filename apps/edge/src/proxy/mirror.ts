// Copies of requests for mirrors: sent beside the request, never instead of it. Nothing a mirror does (refuse, fail, stall, answer) reaches
// the client or its request; a mirror that does not keep up loses copies, not the gateway's memory.
import type { Mirror } from "@sluice/core/model";
import { pieceSize } from "../exchange/piece-size.ts";
import type { UpstreamHandler, UpstreamStream } from "../exchange/upstream-handler.ts";
import type { MirrorResult } from "../observe/forwarding-metrics.ts";
import type { Random } from "../upstream/balancing/balanced.ts";
import type { ClusterManager } from "../upstream/cluster-manager.ts";
import { sendRequest, type UpstreamRequest } from "../upstream/send-request.ts";

/** Copies under way in a worker, whatever their mirror. Each may have a connection. */
const maxCopies = 1024;
/** Bytes of bodies that mirrors have not taken yet, over all copies of a worker. */
const maxWaitingBytes = 16 * 1024 * 1024;
/** From the end of a copy to that of its answer. */
const maxAnswerMs = 60_000;

export interface MirroringOptions {
  readonly clusters: ClusterManager;
  readonly random: Random;
  readonly onResult: (cluster: string, result: MirrorResult) => void;
}

/** All copies of a worker. */
export class Mirroring {
  copies = 0;
  waitingBytes = 0;
  readonly #options: MirroringOptions;

  constructor(options: MirroringOptions) {
    this.#options = options;
  }

  /** Begins the copies that are drawn for a request; null when there are none. */
  begin(mirrors: readonly Mirror[], request: UpstreamRequest): MirrorCopy[] | null {
    let begun: MirrorCopy[] | null = null;
    for (const { cluster, percentage } of mirrors) {
      if (this.#options.random() * 100 >= percentage) continue;
      const copy = this.#copy(cluster, request);
      if (copy !== null) (begun ??= []).push(copy);
    }
    return begun;
  }

  settle(cluster: string, result: MirrorResult): void {
    this.#options.onResult(cluster, result);
  }

  #copy(cluster: string, request: UpstreamRequest): MirrorCopy | null {
    if (this.copies >= maxCopies) {
      this.settle(cluster, "dropped");
      return null;
    }
    // Not by the request's hash: a cookie that a hash would make is the client's affair, and of this the client must not know.
    const endpoint = this.#options.clusters.get(cluster)?.choose() ?? null;
    if (endpoint === null) {
      this.settle(cluster, "failed");
      return null;
    }
    const copy = new MirrorCopy(this, cluster);
    copy.carryOn(sendRequest(endpoint, request, copy), request.body === "none");
    return copy;
  }
}

export class MirrorCopy implements UpstreamHandler {
  readonly pieceSize = pieceSize.small;
  readonly #owner: Mirroring;
  readonly #cluster: string;
  #stream: UpstreamStream | null = null;
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #isDone = false;

  constructor(owner: Mirroring, cluster: string) {
    this.#owner = owner;
    this.#cluster = cluster;
    owner.copies++;
  }

  carryOn(stream: UpstreamStream, isComplete: boolean): void {
    this.#stream = stream;
    if (isComplete) this.#startTimer();
  }

  /** Never stops the writer: what the mirror does not take is counted, and from some point on the copy is given up. */
  write(chunk: Uint8Array): void {
    if (this.#isDone || this.#stream === null) return;
    if (this.#stream.write(chunk)) return;
    this.#waitingBytes += chunk.length;
    this.#owner.waitingBytes += chunk.length;
    if (this.#owner.waitingBytes > maxWaitingBytes) this.abandon("dropped");
  }

  end(trailers: readonly string[]): void {
    if (this.#isDone) return;
    this.#stream?.end(trailers);
    this.#startTimer();
  }

  /** The rest of the request will not come, or nobody waits for the answer any longer. */
  abandon(result: MirrorResult = "failed"): void {
    if (this.#isDone) return;
    this.#stream?.abort();
    this.#settle(result);
  }

  onUpstreamInformational(): void {}
  onUpstreamHead(): void {}
  onUpstreamData(): void {}
  onUpstreamHalfEnd(): void {}
  onUpstreamFlush(): void {}

  onUpstreamEnd(): void {
    this.#settle("answered");
  }

  onUpstreamError(): void {
    this.#settle("failed");
  }

  onUpstreamDrain(): void {
    this.#owner.waitingBytes -= this.#waitingBytes;
    this.#waitingBytes = 0;
  }

  #startTimer(): void {
    this.#timer = setTimeout(expire, maxAnswerMs, this);
    this.#timer.unref();
  }

  #settle(result: MirrorResult): void {
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#owner.copies--;
    this.onUpstreamDrain();
    this.#owner.settle(this.#cluster, result);
  }
}

function expire(copy: MirrorCopy): void {
  copy.abandon();
}
