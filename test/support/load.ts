// Load from the tools that operators use, wrk and h2load, with what they say about failures read back. Bounded: a few connections to
// 127.0.0.1. A tool that is not installed is said out loud, and its part of a story is skipped.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** What one tool saw. A response other than 2xx counts as a failed request. */
export interface LoadReport {
  readonly tool: string;
  readonly requests: number;
  readonly failedRequests: number;
  /** Connections refused, reset or closed under a request, and timeouts. */
  readonly brokenConnections: number;
  /** The tool's own output, for the message of a failing test. */
  readonly output: string;
}

/** Load that goes on until it is stopped. */
export interface Load {
  stop(): Promise<LoadReport>;
}

function isInstalled(tool: string): boolean {
  const isThere = spawnSync(tool, ["--version"], { stdio: "ignore" }).error === undefined;
  if (!isThere) console.warn(`${tool} IS NOT INSTALLED: the load that it would make is missing from this run`);
  return isThere;
}

export const hasWrk = isInstalled("wrk");
export const hasH2load = isInstalled("h2load");

/** Longer than any story: the load is stopped, it does not end. */
const wrkSeconds = 300;

export interface WrkOptions {
  readonly url: string;
  readonly connections: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** wrk on keep-alive connections; with `connection: close` among the headers, on a new connection for every request. */
export function startWrk({ url, connections, headers = {} }: WrkOptions): Load {
  const lines = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const tool = spawnTool("wrk", ["-t1", `-c${connections}`, `-d${wrkSeconds}s`, "--timeout", "10s", ...lines, url]);
  return {
    async stop() {
      // Interrupted, wrk stops where it is and reports.
      tool.process.kill("SIGINT");
      return readWrk(await tool.output);
    },
  };
}

/** Reads the end of wrk's output. Both lines about errors are left out by wrk when there was none. */
function readWrk(output: string): LoadReport {
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  return {
    tool: "wrk",
    requests: Number(/(\d+) requests in /.exec(output)?.[1] ?? Number.NaN),
    failedRequests: Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0),
    brokenConnections: (sockets ?? []).slice(1).reduce((total, count) => total + Number(count), 0),
    output,
  };
}

/** h2load cannot be interrupted without losing its report: it runs this long, and again. New connections come with every run. */
const h2loadSeconds = 4;

export interface H2loadOptions {
  readonly url: string;
  readonly protocol: "h1" | "h2";
  readonly connections: number;
  /** Requests at a time on one connection; h2 only. */
  readonly streams?: number;
  readonly requestsPerSecond: number;
  /** Where to connect, when the host of the URL is only a name. */
  readonly connectTo: string;
}

/** h2load, over and over, until it is stopped; the report is the sum. */
export function startH2load(options: H2loadOptions): Load {
  const { url, protocol, connections, streams = 1, requestsPerSecond, connectTo } = options;
  const perConnection = Math.max(1, Math.round(requestsPerSecond / connections));
  const args = ["-t1", `-c${connections}`, `-m${streams}`, `-D${h2loadSeconds}`, `--rps=${perConnection}`];
  const protocolArgs = protocol === "h1" ? ["--h1"] : ["--npn-list=h2"];
  let isStopped = false;
  const reports: LoadReport[] = [];
  const running = (async () => {
    while (!isStopped) {
      const tool = spawnTool("h2load", [...args, ...protocolArgs, `--connect-to=${connectTo}`, url]);
      reports.push(readH2load(await tool.output));
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await running;
      return sum(reports);
    },
  };
}

/** Reads h2load's two lines of counts. `failed` are all that did not end well, `errored` those of them that had no answer. */
export function readH2load(output: string): LoadReport {
  const counts =
    /requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(
      output,
    );
  const [, done, , failed, errored, timeouts] = (counts ?? []).map(Number);
  const statuses = /status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output);
  const not2xx = (statuses ?? []).slice(1).reduce((total, count) => total + Number(count), 0);
  return {
    tool: "h2load",
    requests: done ?? Number.NaN,
    failedRequests: Math.max(failed ?? Number.NaN, not2xx),
    brokenConnections: (errored ?? Number.NaN) + (timeouts ?? Number.NaN),
    output,
  };
}

/** The sum of several reports; of the output only what tells of a failure is kept. */
function sum(reports: readonly LoadReport[]): LoadReport {
  const total = (of: (report: LoadReport) => number) => reports.reduce((value, report) => value + of(report), 0);
  const failing = reports.filter(isFailing);
  return {
    tool: reports[0]?.tool ?? "none",
    requests: total(({ requests }) => requests),
    failedRequests: total(({ failedRequests }) => failedRequests),
    brokenConnections: total(({ brokenConnections }) => brokenConnections),
    output: failing.map(({ output }) => output).join("\n"),
  };
}

/** Also when the output was not understood: NaN is not 0. */
function isFailing({ failedRequests, brokenConnections }: LoadReport): boolean {
  return !(failedRequests === 0 && brokenConnections === 0);
}

interface Tool {
  readonly process: ChildProcess;
  readonly output: Promise<string>;
}

function spawnTool(name: string, args: readonly string[]): Tool {
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const collect = (chunk: Buffer) => (text += chunk.toString("latin1"));
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return { process: child, output: once(child, "close").then(() => text) };
}
