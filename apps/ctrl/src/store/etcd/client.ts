// Talks to a cluster: asks one member, and another one when it does not answer, until the time is up. docs/adr/0013 tells why over JSON.
//
// A request that got no answer may still have been carried out, and may be carried out later: by a member that was stopped with it in its
// buffers and goes on an hour from now. So everything sent through `call` must be safe to do twice (store-log.ts: a commit names what it
// replaces).
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { EtcdError, EtcdUnreachable, grpcCodes, messageOf } from "./etcd-error.ts";
import { readLines } from "./lines.ts";
import type { TlsFiles } from "./tls-material.ts";
import { type Answer, Transport } from "./transport.ts";

export interface EtcdClientOptions {
  readonly endpoints: readonly string[];
  readonly tls: TlsFiles;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
}

export interface CallOptions {
  readonly deadlineMs: number;
}

/** A member that takes longer is taken for dead: one that was stopped, or that is cut off from the others, never answers. */
const maxTryMs = 2_000;
const pauseBetweenRoundsMs = 150;

/** What an answer tells beside its content. */
export interface Called<Reply> {
  readonly reply: Reply;
  /** More than 1: an earlier attempt may have been carried out too. */
  readonly attempts: number;
}

export class EtcdClient {
  readonly #options: EtcdClientOptions;
  readonly #transport: Transport;
  /** What is under way. (Not `AbortSignal.any` with one that lives as long as the process: it would keep what it once was joined with.) */
  readonly #underWay = new Set<AbortController>();
  #isClosed = false;
  /** The member that answered last. */
  #preferred = 0;
  #token: string | null = null;

  constructor(options: EtcdClientOptions) {
    this.#options = options;
    this.#transport = new Transport(options.tls);
  }

  /** @throws Error that names the setting, when a file cannot be read */
  async check(): Promise<void> {
    const { passwordFile } = this.#options;
    await this.#transport.check();
    if (passwordFile !== undefined) await readPassword(passwordFile);
  }

  /** @throws EtcdError when a member refused; EtcdUnreachable when none answered */
  async call<Reply>(path: string, body: object, { deadlineMs }: CallOptions): Promise<Called<Reply>> {
    const { endpoints } = this.#options;
    const endsAtMs = performance.now() + deadlineMs;
    let problem = "";
    for (let attempts = 1; ; attempts++) {
      const leftMs = endsAtMs - performance.now();
      if (leftMs <= 0) throw new EtcdUnreachable(problem);
      try {
        // There has to be time for every one of them.
        const timeoutMs = Math.min(leftMs, maxTryMs, deadlineMs / endpoints.length);
        const reply = await this.#within(timeoutMs, async (signal) => await this.#try(path, body, signal));
        return { reply: reply as Reply, attempts };
      } catch (error) {
        if (error instanceof EtcdError && !error.isPassing) throw error;
        if (this.#isClosed) throw new EtcdUnreachable("the store is closed");
        problem = `${this.#endpoint}: ${messageOf(error)}`;
        this.#preferred = (this.#preferred + 1) % endpoints.length;
      }
      if (attempts % endpoints.length === 0) await pause(pauseBetweenRoundsMs);
    }
  }

  /**
   * A stream of answers from the preferred member. Ends when the member ends it, or the signal does; `close` does not.
   *
   * @throws Error when it cannot be had, or breaks
   */
  async *stream(path: string, body: object, signal: AbortSignal): AsyncGenerator<object> {
    const token = await this.#within(maxTryMs, async (limit) => await this.#currentToken(limit));
    const response = await this.#transport.open(this.#endpoint, { path, body: JSON.stringify(body), token, signal });
    for await (const line of readLines(response)) {
      const value = JSON.parse(line) as { readonly result?: object; readonly error?: unknown };
      if (value.result === undefined) throw toError({ status: response.statusCode ?? 0, text: line });
      yield value.result;
    }
  }

  /** Something is wrong with the preferred member though it answers. */
  preferAnother(): void {
    this.#preferred = (this.#preferred + 1) % this.#options.endpoints.length;
  }

  forgetToken(): void {
    this.#token = null;
  }

  close(): void {
    this.#isClosed = true;
    for (const ending of this.#underWay) ending.abort();
    this.#transport.close();
  }

  get #endpoint(): string {
    return this.#options.endpoints[this.#preferred] ?? "";
  }

  /** Work with a time limit, which also ends when the client is closed. */
  async #within<Result>(timeoutMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new EtcdUnreachable("the store is closed");
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), timeoutMs);
    this.#underWay.add(ending);
    try {
      return await work(ending.signal);
    } catch (error) {
      throw ending.signal.aborted ? new Error(`no answer within ${Math.round(timeoutMs)} ms`, { cause: error }) : error;
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(ending);
    }
  }

  /** One member, once; twice when it wants a new token. */
  async #try(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    const token = await this.#currentToken(signal);
    try {
      return await this.#ask(path, { body, token, signal });
    } catch (error) {
      if (token === null || !(error instanceof EtcdError) || !error.wantsNewToken) throw error;
      // Another call may have fetched a new one meanwhile.
      if (this.#token === token) this.#token = null;
      return await this.#ask(path, { body, token: await this.#currentToken(signal), signal });
    }
  }

  async #currentToken(signal: AbortSignal): Promise<string | null> {
    const { username, passwordFile } = this.#options;
    if (username === undefined || passwordFile === undefined) return null;
    if (this.#token !== null) return this.#token;
    const password = await readPassword(passwordFile);
    const body = { name: username, password };
    const { token } = (await this.#ask("/v3/auth/authenticate", { body, token: null, signal })) as { token: string };
    return (this.#token = token);
  }

  async #ask(
    path: string,
    { body, token, signal }: { readonly body: object; readonly token: string | null; readonly signal: AbortSignal },
  ): Promise<unknown> {
    const answer = await this.#transport.ask(this.#endpoint, { path, body: JSON.stringify(body), token, signal });
    if (answer.status !== 200) throw toError(answer);
    return JSON.parse(answer.text);
  }
}

async function readPassword(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`ctrl.store.etcd.passwordFile: ${path} cannot be read: ${error.code ?? error.message}`);
  });
  return text.trim();
}

/** Whatever stands between may answer with anything; only etcd's own words are taken for an answer to what was asked. */
function toError({ status, text }: Answer): EtcdError {
  try {
    const value = JSON.parse(text) as { error?: unknown; message?: unknown; code?: unknown };
    // Streams wrap it: {"error": {"grpc_code": ..., "message": ...}}, later releases say "code" there too.
    const inner = typeof value.error === "object" && value.error !== null ? (value.error as Wrapped) : null;
    const code = inner?.grpc_code ?? inner?.code ?? value.code;
    const message = inner?.message ?? value.message ?? value.error;
    if (typeof code === "number" && typeof message === "string") return new EtcdError(message, code);
  } catch {
    // Not etcd's words.
  }
  return new EtcdError(`it answers with status ${status}`, grpcCodes.unavailable);
}

interface Wrapped {
  readonly grpc_code?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
}
