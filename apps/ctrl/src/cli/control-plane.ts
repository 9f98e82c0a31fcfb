// The control plane put together: a directory is watched, compiled, versioned, published and told about.
import { tmpdir } from "node:os";
import { type Diagnostic, describeExpiry, type ExpiryWarning } from "@sluice/core/model";
import { controlSocket } from "@sluice/core/settings";
import type { FastifyInstance } from "fastify";
import { createApi, listenApi } from "../api/server.ts";
import { Compiler, type Compiled } from "../compile/compiler.ts";
import { CertificateWatch } from "../publish/certificate-watch.ts";
import { prepareDirectories, userId } from "../publish/directories.ts";
import { type PublisherEvents, Publisher } from "../publish/server.ts";
import { DirectorySource, type Snapshot } from "../source/directory.ts";
import { emptiedFiles, filledFiles } from "../source/emptied-files.ts";
import { type Outcome, VersionStore } from "../store/versions.ts";
import type { Logger } from "./log.ts";
import { describeFinding } from "./render-diagnostics.ts";
import { StrangerLog } from "./stranger-log.ts";
import type { LoadedSettings } from "./settings.ts";

/** Documents without a namespace; as offline. */
const defaultNamespace = "default";

export class ControlPlane {
  readonly #settings: LoadedSettings;
  readonly #log: Logger;
  readonly #store = new VersionStore();
  readonly #compiler: Compiler;
  readonly #source: DirectorySource;
  readonly #api: FastifyInstance;
  readonly #certificates: CertificateWatch;
  #publisher: Publisher | null = null;
  /** The files of the running version in which something stands. */
  #runningFiles: ReadonlySet<string> = new Set();

  constructor(loaded: LoadedSettings, log: Logger) {
    this.#settings = loaded;
    this.#log = log;
    const { node, edge, config, certificates } = loaded.settings;
    this.#compiler = new Compiler({
      defaultNamespace,
      baseDirectory: loaded.baseDirectory,
      gateway: {
        gateway: { namespace: node.namespace, labels: node.labels, locality: node.locality },
        engine: edge.http10 ? "node" : edge.engine,
        alpn: edge.alpn,
      },
      runningTable: () => this.#store.current?.table ?? null,
      onCompiled: (compiled) => this.#onCompiled(compiled),
      onFailure: (error) => log.error({ err: error }, "the compiler failed; the running version stays"),
    });
    this.#source = new DirectorySource({
      directory: config.directory,
      onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
      onWatchRefused: (path, error) =>
        log.warn({ path, err: error }, "cannot be watched; looking every two seconds instead"),
    });
    this.#certificates = new CertificateWatch({
      limits: certificates,
      currentTable: () => this.#store.current?.table ?? null,
      ownEndMs: () => this.#publisher?.certificateEndMs ?? null,
      onWarning: (warning) => this.#logExpiry(warning),
    });
    this.#store.onChange(() => this.#certificates.look());
    this.#api = createApi({
      store: this.#store,
      source: config.directory,
      edges: () => this.#publisher?.edges ?? [],
      certificates: () => this.#certificates.report(),
      onError: (error) => log.error({ err: error }, "the API failed"),
    });
  }

  /** Serves the API, then the edges, then reads the configuration. @throws Error when an address cannot be taken, or the state directory is not safe */
  async start(): Promise<{
    readonly url: string;
    readonly socketPath: string;
    readonly publishAddress: string | null;
  }> {
    const { ctrl, state, config } = this.#settings.settings;
    const socket = controlSocket(state.directory, { tmpDirectory: tmpdir(), uid: userId });
    await prepareDirectories(state.directory, socket);
    const url = await listenApi(this.#api, ctrl.address);
    const socketPath = socket.path;
    const publisher = new Publisher({
      socketPath,
      ctrlUrl: url,
      store: this.#store,
      events: logPublishing(this.#log),
      remote: ctrl.publish,
    });
    const publishAddress = await publisher.listen();
    this.#publisher = publisher;
    this.#certificates.look();
    this.#log.info({ url, socketPath, publishAddress, directory: config.directory }, "control plane is up");
    await this.#source.start();
    return { url, socketPath, publishAddress };
  }

  /** Publishes nothing any more, waits until the edges are gone where that is wanted, and closes everything. */
  async stop({ afterEdges }: { readonly afterEdges: boolean }): Promise<void> {
    this.#certificates.close();
    await this.#source.close();
    await this.#compiler.close();
    if (afterEdges) await this.#publisher?.untilNoEdges();
    await this.#publisher?.close();
    await this.#api.close();
  }

  #onSnapshot({ texts, problems }: Snapshot): void {
    this.#log.debug({ files: texts.length, problems: problems.length }, "configuration read");
    const diagnostics = [...problems, ...emptiedFiles(texts, this.#runningFiles)];
    if (diagnostics.length === 0) return this.#compiler.submit(texts);
    this.#record({ diagnostics, table: null, inputDigest: "" });
  }

  #onCompiled(compiled: Compiled): void {
    this.#source.watchFiles(compiled.files);
    const outcome = this.#record(compiled);
    if (outcome === "published" || outcome === "repeat") this.#keepFiles(filledFiles(compiled.texts));
  }

  #keepFiles(files: ReadonlySet<string>): void {
    const { directory } = this.#settings.settings.config;
    // Deleting everything may be meant, and is obeyed; if it was not, this line is what the operator looks for.
    if (files.size === 0 && this.#runningFiles.size > 0)
      this.#log.warn({ directory }, "the configuration is now empty");
    this.#runningFiles = files;
  }

  #record({ diagnostics, table, inputDigest }: Omit<Compiled, "files" | "texts">): Outcome {
    const source = this.#settings.settings.config.directory;
    const outcome = this.#store.record({ atMs: Date.now(), diagnostics, table, inputDigest, source });
    for (const diagnostic of diagnostics) this.#logDiagnostic(diagnostic);
    this.#logOutcome(outcome, table?.version ?? null);
    return outcome;
  }

  #logExpiry(warning: ExpiryWarning): void {
    const { secret, kind, stage, daysLeft } = warning;
    this.#log[stage === "soon" ? "warn" : "error"]({ secret, kind, daysLeft }, describeExpiry(warning));
  }

  #logDiagnostic(diagnostic: Diagnostic): void {
    const { severity, code, file, line, column, path, resource } = diagnostic;
    this.#log[severity === "error" ? "error" : "warn"](
      { code, file, line, column, path, resource },
      describeFinding(diagnostic),
    );
  }

  #logOutcome(outcome: Outcome, version: string | null): void {
    const running = this.#store.current?.table.version ?? null;
    switch (outcome) {
      case "published":
        return this.#log.info({ version }, "version published");
      case "repeat":
        return this.#log.debug({ version }, "nothing changed");
      case "invalid":
        return this.#log.error({ running }, "configuration refused; the running version stays");
      case "withheld":
        return this.#log.warn({ version, running }, "version withheld: an edge refused it before");
    }
  }
}

function logPublishing(log: Logger): PublisherEvents {
  const strangers = new StrangerLog(log);
  return {
    onConnect: ({ id, address, version }) => log.info({ edge: id, address, version }, "edge connected"),
    onDisconnect: ({ id }, reason) => {
      if (reason === null) log.info({ edge: id }, "edge disconnected");
      else log.warn({ edge: id, reason }, "edge cut off");
    },
    onAck: ({ id }, version) => log.info({ edge: id, version }, "edge serves version"),
    onRollback: ({ edge, version, reason, current }) =>
      log.error({ edge, version, reason, current }, "edge refused version"),
    onStranger: (address, reason) => strangers.note(address, reason),
    onCredentials: (problem) => {
      if (problem === null) log.info("ctrl.publish.tls: the files as they are now are in use");
      else
        log.error({ problem }, "ctrl.publish.tls: what is in the files now cannot be used; what was there before is");
    },
  };
}
