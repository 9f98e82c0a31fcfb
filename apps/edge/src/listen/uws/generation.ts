// One app of uWebSockets.js on a port: the TLS contexts and handlers that its connections were accepted with. A TLS listener goes
// through several of them in its life, because a server name cannot be changed on a live app:
// `removeServerName` frees the routes that open connections of that name still use, and such a connection was seen to be served
// by the routes of another name. So changes make a new generation on the same port, and the old one keeps its connections.
import type { ChainBinding } from "./chain-binding.ts";
import { type ServableCertificate, withKeyFiles } from "./key-files.ts";
import type { UwsModule } from "./load.ts";
import type { HttpResponse, NativeApp, us_listen_socket } from "./native.ts";
import { reusePort } from "./native.ts";
import { quietTurn } from "./quiet-turn.ts";
import { webSocketBehavior } from "./web-socket/behavior.ts";
import type { HttpRequest, us_socket_context_t } from "uWebSockets.js";

/** What an upgrade needs of the engine. */
export interface UpgradeSocket {
  readonly res: HttpResponse;
  readonly context: us_socket_context_t;
}

/** What a generation tells its listener. */
export interface GenerationOwner {
  onRequest(binding: ChainBinding, res: HttpResponse, request: HttpRequest): void;
  /** A GET with a WebSocket key. */
  onUpgrade(binding: ChainBinding, request: HttpRequest, socket: UpgradeSocket): void;
  /** Longest message of a client. */
  readonly maxMessageBytes: number;
  /** A connection that got through although its chain refuses connections; `filterChain` null: no chain at all. */
  onRefusedChain(filterChain: string | null): void;
  /** Returns false when there are too many. */
  onOpened(): boolean;
  onClosed(): void;
  /** A retired generation has no connection left and will call no more. */
  onEmptied(generation: Generation): void;
}

/** A chain as its app serves it. Without a certificate it refuses handshakes. */
export interface ServedChain {
  readonly name: string;
  readonly serverNames: readonly string[];
  /** One a server name, in their order; one where there are none. */
  readonly bindings: readonly ChainBinding[];
  readonly certificate: ServableCertificate | null;
}

export class Generation {
  private readonly uws: UwsModule;
  private readonly app: NativeApp;
  private readonly owner: GenerationOwner;
  private readonly serverNames: string[];
  private socket: us_listen_socket | null;
  private openCount: number;
  private isRetired: boolean;

  /** Cleartext: `binding` is asked for at every request, so that the chain may change under open connections. */
  static cleartext(uws: UwsModule, owner: GenerationOwner, binding: () => ChainBinding): Generation {
    const generation = new Generation(uws, uws.App() as unknown as NativeApp, owner);
    generation.serve(binding);
    return generation;
  }

  /** TLS: an app without a default certificate refuses connections with another SNI or none, which is what is wanted. */
  static tls(uws: UwsModule, owner: GenerationOwner, chains: readonly ServedChain[]): Generation {
    const fallback = chains.find(({ serverNames }) => serverNames.length === 0) ?? null;
    const certificate = fallback?.certificate ?? null;
    const app = certificate === null ? uws.SSLApp({}) : withKeyFiles(certificate, (options) => uws.SSLApp(options));
    const generation = new Generation(uws, app as unknown as NativeApp, owner);
    generation.handle(fallback, 0);
    for (const chain of chains) generation.add(chain);
    return generation;
  }

  private constructor(uws: UwsModule, app: NativeApp, owner: GenerationOwner) {
    this.uws = uws;
    this.app = app;
    this.owner = owner;
    this.serverNames = [];
    this.socket = null;
    this.openCount = 0;
    this.isRetired = false;
    app.filter((res, change) => this.count(res, change));
  }

  /** Adds a chain's server names; the ones before stay as they are. */
  add(chain: ServedChain): void {
    for (const [index, name] of chain.serverNames.entries()) {
      // A name without a certificate is added too. Left out, the default chain would answer for it.
      if (chain.certificate === null) this.app.addServerName(name, {});
      else withKeyFiles(chain.certificate, (options) => this.app.addServerName(name, options));
      this.serverNames.push(name);
      this.app.domain(name);
      this.handle(chain, index);
    }
  }

  /** Attaches the handler of a chain to the name chosen last. */
  private handle(chain: ServedChain | null, index: number): void {
    const { owner } = this;
    const binding = chain?.bindings[index];
    if (chain !== null && chain.certificate !== null && binding !== undefined) {
      this.serve(() => binding);
      return;
    }
    // Without a certificate no full handshake succeeds, but a TLS 1.3 session begun under another name of this app resumes here.
    this.app.any("/*", (res) => {
      res.close();
      owner.onRefusedChain(chain?.name ?? null);
    });
  }

  private serve(binding: () => ChainBinding): void {
    const { owner } = this;
    const behavior = webSocketBehavior(owner.maxMessageBytes, (res, request, context) =>
      owner.onUpgrade(binding(), request, { res, context }),
    );
    this.app.ws("/*", behavior);
    this.app.any("/*", (res, request) => owner.onRequest(binding(), res, request));
  }

  private count(res: HttpResponse, change: 1 | -1): void {
    this.openCount += change;
    if (change < 0) {
      this.owner.onClosed();
      if (this.isRetired && this.openCount === 0) setImmediate(() => this.free());
    } else if (!this.owner.onOpened()) {
      res.close();
    }
  }

  /** The port bound, or null when it cannot be had. */
  listen(address: string, port: number): number | null {
    this.app.listen(address, port, reusePort, (socket) => {
      if (socket !== false) this.socket = socket;
    });
    if (this.socket === null) return null;
    const boundPort = this.uws.us_socket_local_port(this.socket);
    if (port !== 0) return boundPort;
    // A socket on a port of the kernel's choice is bound without SO_REUSEPORT, so no successor could join it. Bound again by number.
    this.stopListening();
    return this.listen(address, boundPort);
  }

  /** Stops accepting. */
  stopListening(): void {
    if (this.socket === null) return;
    this.uws.us_listen_socket_close(this.socket);
    this.socket = null;
  }

  /** Leaves the port to a successor that already listens; connections stay. Resolves when nothing is accepted here any more. */
  async retire(): Promise<void> {
    await quietTurn();
    this.stopListening();
    this.isRetired = true;
    if (this.openCount === 0) this.free();
  }

  /** Ends every connection. */
  close(): void {
    this.socket = null;
    this.app.close();
  }

  /** Gives the TLS contexts back. Safe only now that no connection is left. */
  private free(): void {
    this.owner.onEmptied(this);
    for (const name of this.serverNames) this.app.removeServerName(name);
    this.serverNames.length = 0;
  }
}
