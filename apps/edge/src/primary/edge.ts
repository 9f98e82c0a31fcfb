// The primary of an edge: takes tables from disk and from ctrl, has the workers serve them, tells ctrl and operators what is live.
import type { Logger } from "pino";
import type { Settings } from "@sluice/core/settings";
import { type HelloMessage, protocolVersion } from "@sluice/core/wire";
import { CtrlClient, type CtrlLink } from "./ctrl-client.ts";
import type { CtrlTarget } from "./ctrl-target.ts";
import { endpointsOfWorkers } from "./endpoint-report.ts";
import { LastGood } from "./last-good.ts";
import { PortPlan } from "./port-plan.ts";
import { type EdgeCounts, prometheusContentType, renderPrometheus } from "./prometheus.ts";
import { acceptOffer, OfferMismatch, type TableBytes, type TableOffer, wholeOffer } from "./table-bytes.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { AdminSource } from "./admin-server.ts";

export interface EdgeOptions {
  readonly settings: Settings;
  readonly workers: number;
  readonly ticketSecret: Uint8Array;
  /** Where ctrl may be, in order of preference. */
  readonly ctrlTargets: readonly CtrlTarget[];
  /** When the certificate that this edge shows to ctrl ends; null where it shows none. */
  ctrlCertificateEndMs(): number | null;
  readonly productVersion: string;
  readonly log: Logger;
  /** Called once, when the first table is live in every worker. */
  readonly onReady: () => void;
  /** Called when the first table offered was refused and there is none to serve. */
  readonly onFirstRefused: (reason: string) => void;
  /** An operator asked for the end through the admin port. */
  readonly onDrainRequested: () => void;
}

export class Edge implements AdminSource {
  readonly pool: WorkerPool;
  readonly #options: EdgeOptions;
  readonly #ctrl: CtrlClient;
  readonly #ports: PortPlan;
  readonly #lastGood: LastGood;
  readonly #counts: EdgeCounts = {
    liveSinceMs: 0,
    acceptedTables: 0,
    refusedTables: 0,
    lastCommitResources: 0,
  };
  /** Offers, one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #isDraining = false;
  #isReady = false;
  ctrlUrl: string | null = null;

  constructor(options: EdgeOptions) {
    this.#options = options;
    const { settings, log } = options;
    this.#ports = new PortPlan(settings.edge);
    this.#lastGood = new LastGood(settings.state.directory);
    this.pool = new WorkerPool({
      count: options.workers,
      configure: { type: "configure", settings, ticketSecret: options.ticketSecret },
      log,
      onChange: () => this.#reportStatus(),
    });
    this.#ctrl = new CtrlClient(
      options.ctrlTargets,
      {
        hello: () => this.#hello(),
        onWelcome: (url, wantsInventory, link) => {
          this.ctrlUrl = url;
          if (wantsInventory)
            link.send({ type: "inventory", have: [...(this.pool.live?.bytes.resources.keys() ?? [])] });
          this.#reportStatus();
        },
        onCommit: (message, link) => {
          this.#counts.lastCommitResources = message.resources.length;
          this.#offer(message, link);
        },
        onRefused: (reason) => log.warn({ reason }, "ctrl has no table to offer"),
      },
      log,
    );
  }

  /** Serves the last good table if there is one, and asks ctrl for the current one. */
  async start(): Promise<void> {
    this.pool.start();
    const { log } = this.#options;
    try {
      const saved = await this.#lastGood.load();
      if (saved !== null) {
        log.info({ version: saved.version }, "serving the last good table from disk");
        this.#offer(wholeOffer(saved), null);
      }
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, "the last good table on disk is damaged and ignored");
      await this.#lastGood.discard();
    }
    await this.#queue;
    this.#ctrl.start();
  }

  /** Readiness goes off, clients are sent elsewhere, what is under way finishes; resolves when all is over. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.pool.drain(this.#options.settings.edge.drainSeconds * 1000);
    this.#ctrl.close();
  }

  notReadyReason(): string | null {
    if (this.#isDraining) return "draining";
    if (this.pool.live === null) return "no table yet";
    return this.pool.isServing ? null : "a worker does not serve the live table yet";
  }

  async prometheus(): Promise<{ contentType: string; text: string }> {
    const text = await renderPrometheus({
      pool: this.pool,
      counts: this.#counts,
      ctrl: this.#ctrl,
      ctrlCertificateEndMs: this.#options.ctrlCertificateEndMs(),
    });
    return { contentType: prometheusContentType, text };
  }

  configDump(): unknown {
    const live = this.pool.live?.bytes;
    return { version: live?.version ?? null, ...live?.decoded.table };
  }

  endpoints(): Promise<unknown> {
    return endpointsOfWorkers(this.pool.slots);
  }

  requestDrain(): void {
    this.#options.onDrainRequested();
  }

  /** @param link who offers, and is told; null for the disk */
  #offer(offer: TableOffer, link: CtrlLink | null): void {
    this.#queue = this.#queue.then(() => this.#take(offer, link));
  }

  async #take(offer: TableOffer, link: CtrlLink | null): Promise<void> {
    // What a ctrl offered that is gone is the next one's to decide.
    if (this.#isDraining || link?.isOpen === false) return;
    const live = this.pool.live?.bytes ?? null;
    if (live?.version === offer.version && this.pool.isServing) return this.#accepted(live, null, link);
    let table: TableBytes;
    try {
      table = acceptOffer(offer, live);
      const bindings = await this.#ports.plan(table.decoded.table.listeners);
      const result = await this.pool.apply({ bytes: table, bindings });
      if (!result.ok) return this.#refused(offer.version, result, link);
      this.#ports.keep(bindings);
    } catch (error) {
      // Not a refusal, which would take the version back everywhere: it is this edge that ctrl is wrong about.
      if (error instanceof OfferMismatch && link !== null) return link.resync(error.message);
      return this.#refused(offer.version, { worker: null, reason: reasonOf(error) }, link);
    }
    this.#counts.liveSinceMs = Date.now();
    this.#counts.acceptedTables++;
    await this.#accepted(table, offer, link);
  }

  /** @param offer that led to the table; null when it was live already */
  async #accepted(table: TableBytes, offer: TableOffer | null, link: CtrlLink | null): Promise<void> {
    const { log } = this.#options;
    const workers = this.pool.slots.map(({ number, pid, appliedMs }) => ({ worker: number, pid, appliedMs }));
    if (link !== null) {
      log.info({ version: table.version, workers: workers.length }, "table is live");
      await this.#lastGood
        .save(table, offer)
        .catch((error: unknown) =>
          log.error(
            { reason: reasonOf(error) },
            "the last good table could not be saved; a restart without ctrl would have none",
          ),
        );
      link.send({ type: "ack", version: table.version, workers });
    }
    if (this.#isReady) return;
    this.#isReady = true;
    this.#options.onReady();
  }

  #refused(
    version: string,
    { worker, reason }: { readonly worker: number | null; readonly reason: string },
    link: CtrlLink | null,
  ): void {
    this.#counts.refusedTables++;
    const isServing = this.pool.live !== null;
    const rest = isServing ? "serving what was live before" : "there is nothing to serve in its place";
    this.#options.log.error({ version, worker, reason }, `table refused; ${rest}`);
    link?.send({ type: "nack", version, worker, reason });
    if (!isServing) this.#options.onFirstRefused(reason);
  }

  #hello(): HelloMessage {
    const live = this.pool.live?.bytes;
    return {
      type: "hello",
      protocol: protocolVersion,
      edgeId: this.#options.settings.node.id,
      productVersion: this.#options.productVersion,
      version: live?.version ?? null,
    };
  }

  #reportStatus(): void {
    if (this.#ctrl.connectedTo === null) return;
    this.#ctrl.send({
      type: "status",
      workers: this.pool.slots.map(({ number, pid, version, sinceMs, appliedMs }) => ({
        worker: number,
        pid,
        version: version === "" ? null : version,
        sinceMs,
        appliedMs,
      })),
      listeners: [...(this.pool.slots[0]?.listeners ?? [])],
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
