// h2load: HTTP/2 over TLS. Closed loop, or open: `--rps` sends on time whether answers have come or not, as long as a connection has a
// stream left (100). A stall shorter than that is not hidden: the requests of its time are under way and each waits as long as it waits.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { hostName } from "../contender.ts";
import { latencyOf } from "../statistics.ts";
import type { LoadResult, LoadTarget, Tools } from "./load-result.ts";

export interface H2loadOptions {
  /** Streams that a connection has under way at most. */
  readonly streams: number;
  /** Requests a second over all connections; null: closed loop. */
  readonly rate: number | null;
}

export async function loadByH2load(target: LoadTarget, options: H2loadOptions, tools: Tools): Promise<LoadResult> {
  const { port, path, connections, seconds } = target;
  const log = join(tools.directory, "h2load.log");
  await rm(log, { force: true });
  const rate = options.rate === null ? [] : [`--rps=${(options.rate / connections).toFixed(2)}`];
  const args = ["-t1", `-c${connections}`, `-m${options.streams}`, `-D${seconds}`, `--log-file=${log}`, ...rate];
  const address = [`--connect-to=127.0.0.1:${port}`, `https://${hostName(0)}${path}`];
  const where = { cores: tools.machine.loadCore, signal: tools.signal };
  const output = await tools.processes.run("h2load", [...args, ...address], where);
  return { ...parseH2load(output, await readFile(log, "utf8")), seconds };
}

/**
 * Reads what h2load prints, and its log, which has a line a request: start in µs, status, duration in µs. Requests that the end of the
 * time cut off are neither answered nor errors.
 */
export function parseH2load(output: string, log: string): Omit<LoadResult, "seconds"> {
  const counts = /requests: .*, (\d+) succeeded, \d+ failed, (\d+) errored, (\d+) timeout/.exec(output);
  const statuses = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output);
  if (counts === null || statuses === null) throw new Error(`h2load reported nothing: ${output.slice(-500)}`);
  const [, , errored, timeouts] = counts.map(Number);
  const [, succeeded, moved, clientErrors, serverErrors] = statuses.map(Number);
  const durations = log.split("\n").flatMap((line) => {
    const [, status, durationUs] = line.split("\t");
    return status === "200" ? [Number(durationUs) / 1000] : [];
  });
  return {
    requests: succeeded ?? Number.NaN,
    errors: sum(errored, timeouts, moved, clientErrors, serverErrors),
    latency: latencyOf(Float64Array.from(durations)),
  };
}

function sum(...values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? Number.NaN), 0);
}
