// The control plane put together: a directory is watched, pushes are stored, both are compiled, versioned, published and told about.
import { tmpdir } from "node:os";
import { setImmediate } from "node:timers/promises";
import type { Diagnostic } from "@sluice/core/model";
import { controlSocket } from "@sluice/core/settings";
import type { FastifyInstance } from "fastify";
import { EventHub } from "../api/event-hub.ts";
import { createApi, listenApi } from "../api/server.ts";
import { Compiler } from "../compile/compiler.ts";
import { CertificateWatch } from "../publish/certificate-watch.ts";
import { prepareDirectories, userId } from "../publish/directories.ts";
import { Publisher } from "../publish/server.ts";
import { Convergence } from "../push/convergence.ts";
import { DirectoryChanges } from "../push/directory-changes.ts";
import { Live } from "../push/live.ts";
import { newDiagnostics } from "../push/new-diagnostics.ts";
import { Pusher } from "../push/pusher.ts";
import { RecompileTimer } from "../push/recompile-timer.ts";
import { followRefusals } from "../push/refusals.ts";
import { followStore } from "../push/store-changes.ts";
import { DirectorySource } from "../source/directory.ts";
import { LiveTable } from "../store/live-table.ts";
import { openStore } from "../store/open-store.ts";
import type { ResourceStore } from "../store/resource-store.ts";
import { type Outcome, VersionStore } from "../store/versions.ts";
import type { Logger } from "./log.ts";
import { tellAttempt, tellPublishing, tellUndone, tellVersions } from "./plane-events.ts";
import { logDiagnostics, logExpiry, logOutcome, logPublishing, logUndone } from "./plane-log.ts";
import type { LoadedSettings } from "./settings.ts";
import { readVersion } from "./version.ts";

/** Documents without a namespace; as offline. */
const defaultNamespace = "default";
/** Of `config.directory`: there is none. */
const noDirectory = "off";

/** What only exists once the store is open. */
interface Opened {
  readonly store: ResourceStore;
  readonly live: Live;
  readonly api: FastifyInstance;
  readonly directory: DirectoryChanges;
  /** Ends following the store. */
  readonly unfollow: () => void;
}

export class ControlPlane {
  readonly #settings: LoadedSettings;
  readonly #log: Logger;
  readonly #tables = new VersionStore();
  readonly #events = new EventHub();
  readonly #convergence = new Convergence(this.#tables, () => this.#edges());
  readonly #compiler: Compiler;
  readonly #certificates: CertificateWatch;
  readonly #recompilation = new RecompileTimer(() => this.#opened?.directory.again());
  #source: DirectorySource | null = null;
  #opened: Opened | null = null;
  #publisher: Publisher | null = null;
  /** Of the attempt before. */
  #diagnostics: readonly Diagnostic[] = [];
  #isStopping = false;

  constructor(loaded: LoadedSettings, log: Logger) {
    this.#settings = loaded;
    this.#log = log;
    const { node, edge, certificates } = loaded.settings;
    this.#compiler = new Compiler({
      defaultNamespace,
      baseDirectory: loaded.baseDirectory,
      gateway: {
        gateway: { namespace: node.namespace, labels: node.labels, locality: node.locality },
        engine: edge.http10 ? "node" : edge.engine,
        alpn: edge.alpn,
      },
      runningTable: () => this.#tables.current?.table ?? null,
    });
    this.#certificates = new CertificateWatch({
      limits: certificates,
      currentTable: () => this.#tables.current?.table ?? null,
      ownEndMs: () => this.#publisher?.certificateEndMs ?? null,
      onWarning: (warning) => logExpiry(log, warning),
    });
    this.#tables.onChange(() => this.#certificates.look());
    tellVersions(this.#events, this.#tables);
  }

  /**
   * Opens the store, serves the API, then the edges, then reads the configuration.
   *
   * @throws Error when an address cannot be taken, or the state directory is not safe, in use or damaged
   */
  async start(): Promise<{
    readonly url: string;
    readonly socketPath: string;
    readonly publishAddress: string | null;
  }> {
    const { ctrl, state, config } = this.#settings.settings;
    const socket = controlSocket(state.directory, { tmpDirectory: tmpdir(), uid: userId });
    await prepareDirectories(state.directory, socket);
    const { api, directory } = (this.#opened = await this.#open());
    const url = await listenApi(api, ctrl);
    const socketPath = socket.path;
    const events = tellPublishing(this.#events, this.#convergence, logPublishing(this.#log));
    const publisher = new Publisher({ socketPath, ctrlUrl: url, store: this.#tables, events, remote: ctrl.publish });
    const publishAddress = await publisher.listen();
    this.#publisher = publisher;
    this.#certificates.look();
    this.#log.info({ url, socketPath, publishAddress, directory: config.directory }, "control plane is up");
    await this.#readDirectory(directory);
    return { url, socketPath, publishAddress };
  }

  /** Publishes nothing any more, waits until the edges are gone where that is wanted, and closes everything. */
  async stop({ afterEdges }: { readonly afterEdges: boolean }): Promise<void> {
    this.#isStopping = true;
    this.#certificates.close();
    this.#recompilation.close();
    await this.#source?.close();
    this.#opened?.directory.close();
    this.#opened?.unfollow();
    this.#events.close();
    await this.#compiler.close();
    if (afterEdges) await this.#publisher?.untilNoEdges();
    await this.#publisher?.close();
    await this.#opened?.live.turns.done();
    // Pushes that were stored wait for no edge any more; whoever sent them should hear so before the connections are cut.
    await setImmediate();
    await this.#opened?.api.close();
    await this.#opened?.store.close();
  }

  async #open(): Promise<Opened> {
    const { settings } = this.#settings;
    const log = this.#log;
    const store = await openStore(settings, (message) => log.warn(message));
    const live = new Live({
      compiler: this.#compiler,
      store,
      tables: this.#tables,
      events: {
        onRecorded: (outcome) => this.#onRecorded(outcome),
        onFiles: (files) => this.#source?.watchFiles(files),
        onRecompileAt: (atMs) => this.#recompilation.set(atMs),
        onFailure: (error) => this.#onFailure(error),
      },
    });
    const directory = new DirectoryChanges({
      live,
      directory: settings.config.directory,
      onUnusable: (diagnostics) => this.#onUnusable(diagnostics),
      onEmpty: () => log.warn({ directory: settings.config.directory }, "the configuration is now empty"),
    });
    followRefusals({
      live,
      convergence: this.#convergence,
      servedVersions: () => this.#edges().flatMap(({ version }) => version ?? []),
      onUndone: (version) => {
        logUndone(log, version);
        tellUndone(this.#events, version);
      },
      onNotUndone: (reason) => log.error({ reason }, "what an edge refused stays in the store"),
    });
    const unfollow = followStore({ live, onNothingRuns: () => directory.again() });
    try {
      return { store, live, directory, unfollow, api: await this.#createApi(live) };
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  async #createApi(live: Live): Promise<FastifyInstance> {
    const { ctrl, config } = this.#settings.settings;
    return await createApi({
      settings: ctrl,
      version: readVersion(),
      services: {
        tables: this.#tables,
        store: live.store,
        live: new LiveTable(this.#tables),
        compiler: this.#compiler,
        pusher: new Pusher(live, this.#convergence),
        convergence: this.#convergence,
        events: this.#events,
        maxEventStreams: ctrl.maxEventStreams,
        source: config.directory,
        edges: () => this.#edges(),
        certificates: () => this.#certificates.report(),
      },
      onError: (error) => this.#onFailure(error),
      onWarning: (message) => this.#log.warn(message),
    });
  }

  async #readDirectory(changes: DirectoryChanges): Promise<void> {
    const { directory } = this.#settings.settings.config;
    if (directory === noDirectory) return changes.submit({ texts: [], problems: [] });
    this.#source = new DirectorySource({
      directory,
      onSnapshot: (snapshot) => {
        this.#log.debug({ files: snapshot.texts.length, problems: snapshot.problems.length }, "configuration read");
        changes.submit(snapshot);
      },
      onWatchRefused: (path, error) =>
        this.#log.warn({ path, err: error }, "cannot be watched; looking every two seconds instead"),
    });
    await this.#source.start();
  }

  #edges() {
    return this.#publisher?.edges ?? [];
  }

  #onUnusable(diagnostics: readonly Diagnostic[]): void {
    const source = this.#settings.settings.config.directory;
    const attempt = { atMs: Date.now(), diagnostics, table: null, inputDigest: "", source };
    this.#onRecorded(this.#tables.record(attempt));
  }

  #onRecorded(outcome: Outcome): void {
    const { current, lastAttempt } = this.#tables;
    const diagnostics = lastAttempt?.diagnostics ?? [];
    // Who pushed is told; what has stood there before would fill the log, push after push.
    const isPush = lastAttempt?.origin !== "directory";
    logDiagnostics(this.#log, isPush ? newDiagnostics(diagnostics, this.#diagnostics, null) : diagnostics);
    this.#diagnostics = diagnostics;
    logOutcome(this.#log, outcome, {
      version: lastAttempt?.version ?? null,
      running: current?.table.version ?? null,
    });
    tellAttempt(this.#events, this.#tables);
  }

  #onFailure(error: unknown): void {
    if (!this.#isStopping) this.#log.error({ err: error }, "an internal error; the running version stays");
  }
}
