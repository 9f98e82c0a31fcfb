// The listeners a worker has bound, brought in line with a table: new ones are bound, known ones updated, vanished ones drained.
import type { BindListener, BoundListener, EngineContext, ListenerSpec } from "../listen/listener.ts";
import { BindError } from "../listen/listener.ts";
import type { RuntimeTable } from "../proxy/runtime-table.ts";
import type { Binding, ListenerReport } from "./messages.ts";

/** While a listener moves from one engine to the other, the old socket of a slower worker may still hold the port. */
const rebindAttempts = 100;
const rebindPauseMs = 20;

export interface Engines {
  readonly node: BindListener;
  /** Null when uWebSockets.js could not be loaded: everything is served on `node`. */
  readonly uws: BindListener | null;
}

interface Entry {
  readonly bound: BoundListener;
  readonly binding: Binding;
}

export class ListenerSet {
  readonly #engines: Engines;
  readonly #context: EngineContext;
  readonly #entries = new Map<string, Entry>();
  readonly #draining = new Set<BoundListener>();

  constructor(engines: Engines, context: EngineContext) {
    this.#engines = engines;
    this.#context = context;
  }

  binding(listener: string): Binding | undefined {
    return this.#entries.get(listener)?.binding;
  }

  reports(table: RuntimeTable): ListenerReport[] {
    return [...this.#entries].flatMap(([name, { bound }]) => {
      const listener = table.listeners.get(name)?.listener;
      if (listener === undefined) return [];
      const { address, port } = listener;
      return [{ name, address, port, boundPort: bound.boundPort, engine: bound.engine }];
    });
  }

  /**
   * Resolves when every new connection is served by the table. Rejects with a `BindError` when a new listener cannot be bound; what was
   * bound before stays bound.
   */
  async apply(table: RuntimeTable, bindings: Readonly<Record<string, Binding>>): Promise<void> {
    for (const name of this.#entries.keys()) if (!table.listeners.has(name)) this.#retire(name);
    for (const [name, { listener }] of table.listeners) {
      const binding = bindings[name];
      if (binding === undefined) throw new Error(`no binding was decided for listener ${name}`);
      const spec: ListenerSpec = {
        listener,
        bindAddress: binding.address,
        bindPort: binding.port,
        secret: (secret) => table.secrets.get(secret) ?? null,
      };
      await this.#applyOne(spec, binding);
    }
    await Promise.all([...this.#entries.values()].map(({ bound }) => bound.updated()));
  }

  async #applyOne(spec: ListenerSpec, binding: Binding): Promise<void> {
    const { name } = spec.listener;
    const engine = spec.listener.engine === "uws" && this.#engines.uws !== null ? "uws" : "node";
    const entry = this.#entries.get(name);
    const isSamePlace = entry?.binding.address === binding.address && entry.binding.port === binding.port;
    if (entry !== undefined && isSamePlace && entry.bound.engine === engine) {
      entry.bound.update(spec);
      return;
    }
    // The engines cannot share a port: the old one lets go first. Connections it has stay with it until they end.
    if (entry !== undefined) this.#retire(name);
    const bind = engine === "uws" ? (this.#engines.uws ?? this.#engines.node) : this.#engines.node;
    const bound =
      entry === undefined ? await bind(spec, this.#context) : await bindWhenFree(() => bind(spec, this.#context));
    this.#entries.set(name, { bound, binding });
  }

  #retire(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#draining.add(entry.bound);
    void entry.bound.drain().finally(() => this.#draining.delete(entry.bound));
  }

  /** Stops accepting everywhere; resolves when the last connection is gone. */
  async drain(): Promise<void> {
    for (const name of this.#entries.keys()) this.#retire(name);
    await Promise.all([...this.#draining].map((bound) => bound.drain()));
  }
}

async function bindWhenFree(bind: () => Promise<BoundListener>): Promise<BoundListener> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bind();
    } catch (error) {
      if (!(error instanceof BindError) || error.code !== "EADDRINUSE" || attempt === rebindAttempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, rebindPauseMs));
    }
  }
}
