// A client that opens a new connection for every request, so that a gap in accepting shows; every failure is kept with its reason.
import { type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LoadReport } from "./load.ts";

export interface FreshReport extends LoadReport {
  /** When the requests that failed were begun, as `performance.now()` has it. */
  readonly failedBeginsMs: readonly number[];
}

export interface FreshLoad {
  stop(): Promise<FreshReport>;
}

export interface FreshConnectionOptions {
  /** 127.0.0.1 when absent. */
  readonly address?: string;
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** Loops that run side by side. */
  readonly clients: number;
  /** Checks the server's certificate for `host` against this authority; null: cleartext. */
  readonly authorityPem: string | null;
}

/** Runs in this process, request after request in every loop, until it is stopped. */
export function startFreshConnections(options: FreshConnectionOptions): FreshLoad {
  const failures: string[] = [];
  const failedBeginsMs: number[] = [];
  let requests = 0;
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      const begunAtMs = performance.now();
      const problem = await ask(options);
      requests++;
      if (problem === null) continue;
      failures.push(`request ${requests} at ${new Date().toISOString()}: ${problem}`);
      failedBeginsMs.push(begunAtMs);
    }
  };
  const loops = Array.from({ length: options.clients }, loop);
  return {
    async stop(): Promise<FreshReport> {
      isStopped = true;
      await Promise.all(loops);
      const refused = failures.filter((line) => line.includes(": status ")).length;
      return {
        tool: `new ${options.authorityPem === null ? "connections" : "TLS connections"}`,
        requests,
        failedRequests: refused,
        brokenConnections: failures.length - refused,
        output: failures.join("\n"),
        failedBeginsMs,
      };
    },
  };
}

/** Null when it was answered with 200, entirely; else why not. */
function ask(options: FreshConnectionOptions): Promise<string | null> {
  const { address = "127.0.0.1", port, host, path, authorityPem } = options;
  const common: RequestOptions = { host: address, port, path, agent: false, timeout: 10_000, headers: { host } };
  return new Promise((resolve) => {
    const request =
      authorityPem === null ? requestHttp(common) : requestHttps({ ...common, servername: host, ca: authorityPem });
    const fail = (error: NodeJS.ErrnoException) =>
      resolve(`${error.code ?? ""} ${error.message} (local port ${request.socket?.localPort ?? 0})`);
    request.on("error", fail);
    request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.on("response", (response) => {
      response.on("error", fail);
      response.on("end", () => resolve(response.statusCode === 200 ? null : `status ${response.statusCode}`));
      response.resume();
    });
    request.end();
  });
}
