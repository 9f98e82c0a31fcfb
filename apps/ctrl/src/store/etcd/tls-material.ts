// The certificates with which members are believed and this ctrl shows itself, read again when their files change.
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { signatureOf } from "../../source/signature.ts";

export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
}

export interface TlsOptions {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface CurrentTls {
  readonly options: TlsOptions;
  /** Grows whenever the options are others. */
  readonly generation: number;
}

const recheckAfterMs = 10_000;

export class TlsMaterial {
  readonly #files: TlsFiles;
  #signature = "";
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #current: CurrentTls | null = null;

  constructor(files: TlsFiles) {
    this.#files = files;
  }

  /** A pair that cannot be used, half replaced perhaps, leaves the one before in use. @throws Error when there is none */
  async current(): Promise<CurrentTls> {
    const isFresh = performance.now() - this.#checkedAtMs < recheckAfterMs;
    if (this.#current !== null && isFresh) return this.#current;
    this.#checkedAtMs = performance.now();
    const paths = Object.values(this.#files).filter((path) => path !== undefined);
    const signature = (await Promise.all(paths.map(signatureOf))).join(" ");
    if (this.#current !== null && signature === this.#signature) return this.#current;
    try {
      const options = await readOptions(this.#files);
      this.#current = { options, generation: (this.#current?.generation ?? 0) + 1 };
      this.#signature = signature;
    } catch (error) {
      if (this.#current === null) throw error;
    }
    return this.#current;
  }
}

async function readOptions({ ca, certificate, privateKey }: TlsFiles): Promise<TlsOptions> {
  const options = {
    ...(ca === undefined ? {} : { ca: await readPem(ca, "ca") }),
    ...(certificate === undefined ? {} : { cert: await readPem(certificate, "certificate") }),
    ...(privateKey === undefined ? {} : { key: await readPem(privateKey, "privateKey") }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw new Error(`ctrl.store.etcd.tls: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return options;
}

async function readPem(path: string, key: string): Promise<Buffer> {
  return await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`ctrl.store.etcd.tls.${key}: ${path} cannot be read: ${error.code ?? error.message}`);
  });
}
