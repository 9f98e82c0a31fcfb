// Follows one key: calls back when it may have changed, reconnects for ever, and goes on where it was.
//
// What a watch brings is taken for a hint to look, nothing more. Whoever looks finds every version in order, so a watch that was cut off,
// came late, or began after a compaction can lose nothing.
import { setTimeout as pause } from "node:timers/promises";
import type { EtcdClient } from "./client.ts";
import { base64 } from "./kv.ts";

const minPauseMs = 100;
const maxPauseMs = 2_000;

interface WatchReply {
  readonly header?: { readonly revision?: string };
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancel_reason?: string;
  readonly compact_revision?: string;
  readonly events?: readonly unknown[];
}

export class KeyWatch {
  readonly #client: EtcdClient;
  readonly #key: string;
  readonly #onHint: () => void;
  readonly #closing = new AbortController();
  #connection = new AbortController();
  /** The cluster's, as far as the watch has told everything up to it; 0 before it began: from then on. */
  #revision = 0;

  constructor(client: EtcdClient, key: string, onHint: () => void) {
    this.#client = client;
    this.#key = key;
    this.#onHint = onHint;
    void this.#run();
  }

  get revision(): number {
    return this.#revision;
  }

  /** The connection seems to be dead, or its member to be cut off. */
  restart(): void {
    this.#client.preferAnother();
    this.#connection.abort();
  }

  close(): void {
    this.#closing.abort();
    this.#connection.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let pauseMs = minPauseMs;
    while (!signal.aborted) {
      const before = this.#revision;
      this.#connection = new AbortController();
      await this.#follow(this.#connection.signal).catch(() => this.#client.preferAnother());
      // Whatever ended it, something may have been missed.
      if (!signal.aborted) this.#onHint();
      pauseMs = this.#revision > before ? minPauseMs : Math.min(pauseMs * 2, maxPauseMs);
      await pause(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    // Without a revision it begins with what comes next.
    const from = this.#revision === 0 ? {} : { start_revision: String(this.#revision + 1) };
    const start = { key: base64(this.#key), progress_notify: true, ...from };
    for await (const reply of this.#client.stream("/v3/watch", { create_request: start }, signal)) {
      this.#take(reply);
    }
  }

  #take(reply: WatchReply): void {
    const { header, created = false, canceled = false, compact_revision: compacted, events = [] } = reply;
    if (canceled) {
      // After a compaction it goes on from there: the hint that follows makes everybody look at what is there now.
      if (compacted === undefined) this.#client.forgetToken();
      else this.#revision = Math.max(this.#revision, Number(compacted));
      throw new Error(reply.cancel_reason ?? "the watch was canceled");
    }
    // The first answer tells the cluster's revision, not that everything up to it was told: unless it begins there.
    if (!created || this.#revision === 0) this.#revision = Math.max(this.#revision, Number(header?.revision ?? 0));
    if (created || events.length > 0) this.#onHint();
  }
}
