// A client that does nothing but ask, one request after the other over HTTP/2: what it feels of somebody else's attack.
import { type ClientHttp2Session, connect } from "node:http2";

export interface Experience {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly failures: number;
}

const pauseMs = 5;

export class HonestClient {
  readonly #port: number;
  #session: ClientHttp2Session | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** Asks until `enough` says so. */
  async ask(enough: (count: number) => boolean): Promise<Experience> {
    const times: number[] = [];
    let failures = 0;
    for (let count = 0; !enough(count); count++) {
      const startedAt = performance.now();
      // eslint-disable-next-line no-await-in-loop
      if ((await this.#get()) === 200) times.push(performance.now() - startedAt);
      else failures++;
      // eslint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    times.sort((left, right) => left - right);
    const at = (part: number): number =>
      times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
    return { medianMs: at(0.5), p99Ms: at(0.99), failures };
  }

  close(): void {
    this.#session?.destroy();
  }

  /** The status; 0 without an answer. */
  async #get(): Promise<number> {
    if (this.#session === null || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(`https://127.0.0.1:${this.#port}`, { rejectUnauthorized: false });
      this.#session.on("error", () => undefined);
    }
    const stream = this.#session.request({ ":path": "/", ":authority": "a.example" });
    let status = 0;
    stream.on("error", () => undefined).on("response", (headers) => (status = Number(headers[":status"])));
    stream.resume();
    await new Promise((resolve) => stream.once("close", resolve));
    return status;
  }
}
