// A publisher for edges of this machine and of others, with its events, in a directory of its own.
import { mkdir, writeFile } from "node:fs/promises";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { EncodedTable } from "@sluice/core/wire";
import { type Authority, createAuthority, type IssueOptions } from "@sluice/demo/certificates";
import type { EdgeTiming } from "../../src/publish/edge-connection.ts";
import { defaultRemoteLimits, type RemoteLimits } from "../../src/publish/remote-listener.ts";
import { Publisher } from "../../src/publish/server.ts";
import { VersionStore } from "../../src/store/versions.ts";
import { FakeEdge } from "./fake-edge.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";

export interface PublishedOptions {
  readonly timing?: Partial<EdgeTiming>;
  readonly limits?: Partial<RemoteLimits>;
  readonly allowedIdentities?: string[];
}

export class Published implements AsyncDisposable {
  readonly store = new VersionStore();
  readonly authority: Authority;
  readonly socketPath: string;
  /** `connect edge-1`, `cut edge-1: reason`, `stranger: reason`, `credentials: problem`. */
  readonly events: string[] = [];
  publisher!: Publisher;
  #options: PublishedOptions = {};
  #port = 0;
  readonly #directory: TemporaryDirectory;
  readonly #waiting = new Set<() => void>();

  private constructor(directory: TemporaryDirectory, authority: Authority) {
    this.#directory = directory;
    this.authority = authority;
    this.socketPath = directory.at("state", "ctrl.sock");
  }

  static async start(options: PublishedOptions = {}): Promise<Published> {
    const directory = await temporaryDirectory();
    const world = new Published(directory, await createAuthority({ commonName: "machines" }));
    await mkdir(directory.at("state"));
    await world.writeCredentials();
    world.#options = options;
    world.publisher = world.createPublisher();
    const address = await world.publisher.listen();
    world.#port = Number(address?.split(":").at(-1));
    return world;
  }

  createPublisher(): Publisher {
    const { timing, limits, allowedIdentities = ["{id}"] } = this.#options;
    const path = (name: string) => this.#directory.at(name);
    const tls = { certificate: path("tls.crt"), privateKey: path("tls.key"), clientCa: path("ca.crt") };
    return new Publisher({
      socketPath: this.socketPath,
      ctrlUrl: "http://127.0.0.1:1",
      store: this.store,
      events: this.#publisherEvents(),
      remote: { address: "127.0.0.1:0", tls: { ...tls, allowedIdentities } },
      remoteLimits: { ...defaultRemoteLimits, ...limits },
      timing: timing ?? {},
    });
  }

  /** Renews ctrl's own certificate, and trusts `authorities` to sign those of edges. */
  async writeCredentials(authorities: readonly Authority[] = [this.authority], options: Partial<IssueOptions> = {}) {
    const { chainPem, keyPem } = await this.authority.issue({
      commonName: "ctrl",
      ipAddresses: ["127.0.0.1"],
      ...options,
    });
    await this.write("tls.key", keyPem);
    await this.write("tls.crt", chainPem);
    await this.write("ca.crt", authorities.map(({ certificatePem }) => certificatePem).join(""));
  }

  async write(name: "tls.crt" | "tls.key" | "ca.crt", text: string): Promise<void> {
    await writeFile(this.#directory.at(name), text);
  }

  publish(table: EncodedTable): void {
    this.store.record({ atMs: 1, diagnostics: [], table, inputDigest: table.version, source: "test" });
  }

  /** A connection as any machine may open one. */
  dial(options: ConnectionOptions): TLSSocket {
    return connectTls({ host: "127.0.0.1", port: this.#port, ca: this.authority.certificatePem, ...options });
  }

  get port(): number {
    return this.#port;
  }

  /** What an edge shows. */
  async identity(options: Partial<IssueOptions>, authority = this.authority): Promise<{ cert: string; key: string }> {
    const issued = await authority.issue({ commonName: "edge", client: true, ...options });
    return { cert: issued.chainPem, key: issued.keyPem };
  }

  /** An edge of another machine that has said hello, with a certificate of its name. */
  async join(edgeId: string): Promise<FakeEdge> {
    const edge = new FakeEdge(this.dial(await this.identity({ dnsNames: [edgeId] })));
    await edge.greet(edgeId);
    return edge;
  }

  /** Resolves when such an event has come. */
  async untilEvent(isWanted: (event: string) => boolean): Promise<string> {
    for (;;) {
      const event = this.events.find(isWanted);
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher.close();
    await this.#directory[Symbol.asyncDispose]();
  }

  #publisherEvents() {
    const note = (event: string): void => {
      this.events.push(event);
      for (const resolve of this.#waiting) resolve();
      this.#waiting.clear();
    };
    return {
      onConnect: ({ id }: { id: string }) => note(`connect ${id}`),
      onDisconnect: ({ id }: { id: string }, reason: string | null) => note(`cut ${id}: ${reason}`),
      onAck: ({ id }: { id: string }, version: string) => note(`ack ${id} ${version}`),
      onRollback: ({ edge, reason }: { edge: string; reason: string }) => note(`rollback ${edge}: ${reason}`),
      onStranger: (_address: string, reason: string) => note(`stranger: ${reason}`),
      onCredentials: (problem: string | null) => note(`credentials: ${problem}`),
    };
  }
}
