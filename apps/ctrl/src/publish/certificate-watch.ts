// When the certificates of the current version end, and those of ctrl itself: for status, and for warnings while there is time.
import {
  certificateExpiries,
  type CertificateExpiry,
  daysLeft,
  type ExpiryLimits,
  type ExpiryStage,
  expiryStage,
  type ExpiryWarning,
  ExpiryWarnings,
} from "@sluice/core/model";
import { decodeTable, type EncodedTable } from "@sluice/core/wire";

const lookEveryMs = 3_600_000;

export interface CertificateStatus extends CertificateExpiry {
  readonly daysLeft: number;
  readonly stage: ExpiryStage;
}

export interface CertificateWatchOptions {
  readonly limits: ExpiryLimits;
  currentTable(): EncodedTable | null;
  /** Of ctrl itself, towards edges of other machines. */
  ownEndMs(): number | null;
  onWarning(warning: ExpiryWarning): void;
}

export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  readonly #warnings: ExpiryWarnings;
  readonly #timer: NodeJS.Timeout;
  /** Of the secrets with these digests. */
  #known: { readonly key: string; readonly expiries: readonly CertificateExpiry[] } = { key: "", expiries: [] };

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    this.#warnings = new ExpiryWarnings(options.limits);
    this.#timer = setInterval(() => this.look(), lookEveryMs);
  }

  /** Warns of what is due. To be called when the current table changes. */
  look(nowMs = Date.now()): void {
    for (const warning of this.#warnings.due(this.#expiries(), nowMs)) this.#options.onWarning(warning);
  }

  /** Nearest end first. */
  report(nowMs = Date.now()): CertificateStatus[] {
    return this.#expiries()
      .map((one) => ({
        ...one,
        daysLeft: daysLeft(one, nowMs),
        stage: expiryStage(one, nowMs, this.#options.limits),
      }))
      .toSorted((left, right) => left.notAfterMs - right.notAfterMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #expiries(): readonly CertificateExpiry[] {
    const ownEndMs = this.#options.ownEndMs();
    const own: CertificateExpiry[] =
      ownEndMs === null ? [] : [{ secret: "ctrl.publish.tls", kind: "server", notAfterMs: ownEndMs }];
    return [...this.#ofTable(), ...own];
  }

  /** Secrets change seldom, and are a small part of a table: only they are decoded, and only when they changed. */
  #ofTable(): readonly CertificateExpiry[] {
    const current = this.#options.currentTable();
    const secrets = current?.manifest.filter(({ type }) => type === "secret") ?? [];
    const key = secrets.map(({ digest }) => digest).join();
    if (key !== this.#known.key) {
      const { table } = decodeTable(secrets, (digest) => current?.resources.get(digest));
      this.#known = { key, expiries: certificateExpiries(table.secrets) };
    }
    return this.#known.expiries;
  }
}
