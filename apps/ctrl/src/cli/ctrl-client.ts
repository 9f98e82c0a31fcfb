// Asks a running control plane.
import { readFile } from "node:fs/promises";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { buffer } from "node:stream/consumers";
import { isLoopback } from "@sluice/core/settings";
import type { Diagnostic } from "@sluice/core/model";
import { describeSystemError } from "../source/file-problem.ts";
import { CommandFailure, exitConfigurationErrors, exitUsage, usageFailure } from "./failure.ts";
import { renderDiagnostic } from "./render-diagnostics.ts";
import { hasColour, printTalk } from "./terminal.ts";

/** Beyond the longest wait that the API grants. */
const timeoutMs = 90_000;

/** Options of every command that asks a control plane. */
export interface CtrlOptions {
  readonly ctrl?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface CtrlRequest {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of the body; JSON unless it is said. */
  readonly type?: string;
}

/** What the API answered when it did not do what it was asked. */
interface Problem {
  readonly detail?: unknown;
  readonly failure?: unknown;
  readonly diagnostics?: readonly Diagnostic[];
}

interface ClientTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export class CtrlClient {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #tls: ClientTls;

  private constructor(url: URL, headers: Readonly<Record<string, string>>, tls: ClientTls) {
    this.#url = url;
    this.#headers = headers;
    this.#tls = tls;
  }

  /** @throws CommandFailure 2 for options that cannot be used */
  static async create(ctrl: string, options: CtrlOptions = {}): Promise<CtrlClient> {
    const url = parseUrl(ctrl);
    const token = await readToken(options.tokenFile);
    const read = async (option: string, path: string | undefined) =>
      path === undefined ? {} : { [option]: await readOption(option, path) };
    const tls = {
      ...(await read("ca", options.caFile)),
      ...(await read("cert", options.certFile)),
      ...(await read("key", options.keyFile)),
    };
    if (token !== null && url.protocol === "http:" && !isLoopback(url.hostname.replace(/^\[(.*)\]$/, "$1"))) {
      printTalk(`warning: the token goes to ${url.origin} unencrypted; use https`);
    }
    return new CtrlClient(url, token === null ? {} : { authorization: `Bearer ${token}` }, tls);
  }

  /**
   * The JSON answer to a request.
   *
   * @param toPlace where a finding about the body stands in what the user gave
   * @throws CommandFailure 1 when the control plane does not do it, 2 when it cannot be asked, or not like this
   */
  async ask(
    path: string,
    request: CtrlRequest = {},
    toPlace = (diagnostic: Diagnostic) => diagnostic,
  ): Promise<unknown> {
    let status: number;
    let answer: unknown;
    try {
      const response = await this.#send(path, request, timeoutMs);
      status = response.statusCode ?? 0;
      answer = JSON.parse((await buffer(response)).toString("utf8"));
    } catch (error) {
      throw this.#cannotAsk(error);
    }
    if (status < 300) return answer;
    throw reportProblem(status, answer, toPlace);
  }

  /** Follows a stream of events; calls back for each, and resolves when it ends. @throws CommandFailure 2 */
  async follow(path: string, onEvent: () => void): Promise<void> {
    try {
      const response = await this.#send(path, {}, 0);
      if (response.statusCode !== 200) {
        const answer: unknown = JSON.parse((await buffer(response)).toString("utf8"));
        throw reportProblem(response.statusCode ?? 0, answer, (diagnostic) => diagnostic);
      }
      response.setEncoding("utf8");
      for await (const chunk of response) if (String(chunk).includes("event:")) onEvent();
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      throw this.#cannotAsk(error);
    }
  }

  async #send(path: string, { method = "GET", headers = {}, body, type }: CtrlRequest, limitMs: number) {
    const url = new URL(path, this.#url);
    const content =
      body === undefined
        ? {}
        : { "content-type": type ?? "application/json", "content-length": Buffer.byteLength(body) };
    const options = { method, headers: { ...this.#headers, ...headers, ...content }, ...this.#tls };
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const request =
        url.protocol === "https:" ? httpsRequest(url, options, resolve) : httpRequest(url, options, resolve);
      if (limitMs > 0) request.setTimeout(limitMs, () => request.destroy(new Error("it does not answer")));
      request.on("error", reject);
      request.end(body);
    });
  }

  #cannotAsk(error: unknown): CommandFailure {
    const reason =
      error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
    return usageFailure(`error: cannot ask the control plane at ${this.#url.origin}: ${reason}`);
  }
}

function parseUrl(ctrl: string): URL {
  const url = URL.canParse(ctrl) ? new URL(ctrl) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw usageFailure(`error: --ctrl "${ctrl}" is no URL such as http://127.0.0.1:15010`);
}

/** From the file, or else from SLUICE_TOKEN; null where there is neither. */
async function readToken(file: string | undefined): Promise<string | null> {
  const text = file === undefined ? process.env["SLUICE_TOKEN"] : (await readOption("token", file)).toString("utf8");
  const token = text?.trim() ?? "";
  if (token === "") return null;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw usageFailure(`error: ${file === undefined ? "SLUICE_TOKEN" : `--token-file ${file}`} holds no token`);
}

async function readOption(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw usageFailure(`error: --${option}-file ${path} cannot be read: ${describeSystemError(error)}`);
  }
}

/** What stands in the way is the configuration's (1), unless it is how the command was called, or the control plane itself (2). */
function reportProblem(
  status: number,
  answer: unknown,
  toPlace: (diagnostic: Diagnostic) => Diagnostic,
): CommandFailure {
  const problem = (typeof answer === "object" && answer !== null ? answer : {}) as Problem;
  const diagnostics = problem.diagnostics ?? [];
  for (const diagnostic of diagnostics) printTalk(renderDiagnostic(toPlace(diagnostic), hasColour(process.stderr)));
  const isRefusal = typeof problem.failure === "string" && status < 500;
  const hasErrors = diagnostics.some(({ severity }) => severity === "error");
  return new CommandFailure(
    isRefusal || hasErrors ? exitConfigurationErrors : exitUsage,
    `error: ctrl answered ${status}: ${String(problem.detail)}`,
  );
}
