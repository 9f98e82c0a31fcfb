// Decides which address and port every listener is bound to, before any worker tries: all workers must agree, a free port is taken once,
// and a port that another process holds refuses the table instead of half of it.
import { createServer } from "node:net";
import type { Listener } from "@sluice/core/model";
import type { Settings } from "@sluice/core/settings";
import { BindError } from "../listen/listener.ts";
import type { Binding } from "../worker/messages.ts";

export class PortPlan {
  readonly #edge: Settings["edge"];
  #bindings: Readonly<Record<string, Binding>> = {};

  constructor(edge: Settings["edge"]) {
    this.#edge = edge;
  }

  /**
   * Bindings for these listeners. Those already bound keep theirs. Rejects with a `BindError` when a new one cannot be had, and with an
   * `Error` when two listeners want the same place. Nothing is remembered until `keep`.
   */
  async plan(listeners: readonly Listener[]): Promise<Readonly<Record<string, Binding>>> {
    const bindings: Record<string, Binding> = {};
    const owners = new Map<string, string>();
    for (const listener of listeners) {
      const known = this.#bindings[listener.name];
      const wanted = this.#wanted(listener);
      const stays =
        known !== undefined && known.address === wanted.address && (wanted.port === 0 || known.port === wanted.port);
      const binding = stays ? known : { address: wanted.address, port: await this.#claim(wanted) };
      const place = `${binding.address}:${binding.port}`;
      const owner = owners.get(place);
      if (owner !== undefined)
        throw new Error(`listeners ${owner} and ${listener.name} would both be bound to ${place}; check edge.ports`);
      owners.set(place, listener.name);
      bindings[listener.name] = binding;
    }
    return bindings;
  }

  keep(bindings: Readonly<Record<string, Binding>>): void {
    this.#bindings = bindings;
  }

  #wanted(listener: Listener): Binding {
    const { ports, bind } = this.#edge;
    const port = ports[String(listener.declaredPort)] ?? ports[String(listener.port)] ?? listener.port;
    return { address: listener.address === "0.0.0.0" ? bind : listener.address, port };
  }

  async #claim({ address, port }: Binding): Promise<number> {
    const isOurs = Object.values(this.#bindings).some(
      (binding) => binding.address === address && binding.port === port,
    );
    return isOurs ? port : probe(address, port);
  }
}

/**
 * Binds and lets go. uWebSockets.js listens with SO_REUSEPORT and would silently share a port with another process that does the same;
 * this socket does not, so it finds out.
 */
function probe(address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new BindError(address, port, error.code ?? error.message)),
    );
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : port));
    });
  });
}
