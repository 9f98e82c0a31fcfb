// Load generators, pinned to the core that the contender does not have.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Empty when every request was answered with 200. */
  readonly errors: string;
}

export interface LoadOptions {
  readonly url: string;
  readonly seconds: number;
  readonly core: number;
}

/** HTTP/1.1: 64 connections, one request under way on each. */
export async function loadHttp1({ url, seconds, core }: LoadOptions): Promise<LoadResult> {
  const { stdout } = await run("taskset", ["-c", String(core), "wrk", "-t1", "-c64", `-d${seconds}s`, url]);
  const [, requests = "0", took = "1"] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? [];
  const errors = /Non-2xx.*|Socket errors.*/.exec(stdout)?.[0] ?? "";
  return { requests: Number(requests), seconds: Number(took), errors };
}

/** HTTP/2: 8 connections, 16 streams on each. */
export async function loadHttp2({ url, seconds, core }: LoadOptions): Promise<LoadResult> {
  const args = ["-c", String(core), "h2load", "-t1", "-c8", "-m16", `-D${seconds}`, url];
  const { stdout } = await run("taskset", args);
  const [, succeeded = "0", failed = "0"] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? [];
  return { requests: Number(succeeded), seconds, errors: failed === "0" ? "" : `${failed} failed` };
}
