// One request to one member: JSON over HTTP/1.1, with a limit for the time and for the bytes of the answer.
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { type TlsFiles, TlsMaterial } from "./tls-material.ts";

/** More than any answer this store asks for (store-log.ts reads pages of 64 values of at most 64 KiB each). */
const maxAnswerBytes = 16 * 1024 * 1024;
/** Of the TCP probes on connections that wait for their next request. */
const keepAliveMs = 15_000;

export interface Ask {
  readonly path: string;
  readonly body: string;
  readonly token: string | null;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export class Transport {
  readonly #tls: TlsMaterial;
  readonly #httpAgent = new HttpAgent({ keepAlive: true, keepAliveMsecs: keepAliveMs, maxSockets: 16 });
  #httpsAgent: { readonly agent: HttpsAgent; readonly generation: number } | null = null;

  constructor(tls: TlsFiles) {
    this.#tls = new TlsMaterial(tls);
  }

  /** @throws Error when the certificates cannot be used */
  async check(): Promise<void> {
    await this.#tls.current();
  }

  /** @throws Error when there is no whole answer, for whatever reason */
  async ask(endpoint: string, ask: Ask): Promise<Answer> {
    const response = await this.open(endpoint, ask);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxAnswerBytes) throw new Error(`${endpoint} answers with more than ${maxAnswerBytes} bytes`);
      chunks.push(chunk);
    }
    return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
  }

  /** Resolves with the answer's head; its body comes as a stream, which the signal ends. */
  async open(endpoint: string, { path, body, token, signal }: Ask): Promise<IncomingMessage> {
    const url = new URL(path, endpoint);
    const isTls = url.protocol === "https:";
    const agent = isTls ? await this.#secureAgent() : this.#httpAgent;
    const headers = {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      ...(token === null ? {} : { authorization: token }),
    };
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { method: "POST", agent, headers, signal };
      const request = (isTls ? requestHttps : requestHttp)(url, options, resolve);
      request.on("error", reject);
      request.end(body);
    });
  }

  close(): void {
    this.#httpAgent.destroy();
    this.#httpsAgent?.agent.destroy();
  }

  /** Another one once the files have changed: what is open goes on with what it was opened with. */
  async #secureAgent(): Promise<HttpsAgent> {
    const { options, generation } = await this.#tls.current();
    if (this.#httpsAgent?.generation !== generation) {
      const agent = new HttpsAgent({ ...options, minVersion: "TLSv1.2", keepAlive: true, maxSockets: 16 });
      this.#httpsAgent = { agent, generation };
    }
    return this.#httpsAgent.agent;
  }
}
