// h2load: HTTP/2 over TLS in a closed loop, and both versions of HTTP in an open one.
//
// Open: each connection sends on its own clock (`--rps`), whether answers have come or not, as long as it has a request (HTTP/2: a
// stream) left. There are so many connections that each sends every 10 ms at most: a stall shorter than that keeps nobody from sending,
// and what a longer one kept back is put back by `correctOmission`. Latencies count from the moment of sending: h2load's own lateness, which
// is no contender's, is not in them.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { hostName } from "../contender.ts";
import { correctOmission, latencyOf } from "../statistics.ts";
import { limitOf, type LoadResult, type LoadTarget, type Tools } from "./load-result.ts";

/** Of an open loop. h2load's clocks do not tick faster than every 10 ms, and would send in bursts at more than 100 a second. */
const requestsPerSecondOfConnection = 100;
const maxOpenConnections = 1000;
/** Streams of a connection in an open loop: what all contenders allow. */
const openStreams = 100;
/** Connections are made before an open loop is measured. */
const warmUpSeconds = 2;

/** A closed loop: each connection has so many requests under way. */
export async function loadByH2load(target: LoadTarget, streams: number, tools: Tools): Promise<LoadResult> {
  const { output, log } = await run(target, [`-c${target.connections}`, `-m${streams}`], tools);
  const { durationsMs, ...counts } = parseH2load(output, log);
  return { ...counts, seconds: target.seconds, latency: latencyOf(Float64Array.from(durationsMs)) };
}

/** An open loop of `rate` requests a second over all connections. */
export async function loadOpenly(target: LoadTarget, rate: number, tools: Tools): Promise<LoadResult> {
  const isHttp2 = target.door === "h2";
  const connections = Math.min(maxOpenConnections, Math.ceil(rate / requestsPerSecondOfConnection));
  const streams = isHttp2 ? openStreams : 1;
  const pace = [`--rps=${(rate / connections).toFixed(3)}`, `--warm-up-time=${warmUpSeconds}`];
  const args = [`-c${connections}`, `-m${streams}`, ...pace, ...(isHttp2 ? [] : ["--h1"])];
  const { output, log } = await run(target, args, tools);
  const { durationsMs, ...counts } = parseH2load(output, log);
  const intervalMs = (1000 * connections * streams) / rate;
  return { ...counts, seconds: target.seconds, latency: latencyOf(correctOmission(durationsMs, intervalMs)) };
}

async function run(
  { port, door, path, seconds }: LoadTarget,
  args: readonly string[],
  tools: Tools,
): Promise<{ readonly output: string; readonly log: string }> {
  const file = join(tools.directory, "h2load.log");
  await rm(file, { force: true });
  const url = `${door === "plain" ? "http" : "https"}://${hostName(0)}${path}`;
  const common = ["-t1", `-D${seconds}`, `--log-file=${file}`, `--connect-to=127.0.0.1:${port}`, url];
  const where = { cores: tools.machine.loadCore, signal: tools.signal, limitMs: limitOf(warmUpSeconds + seconds) };
  const output = await tools.processes.run("h2load", [...args, ...common], where);
  return { output, log: await readFile(file, "utf8") };
}

/** What h2load printed and logged. */
export interface H2loadReport {
  readonly requests: number;
  readonly errors: number;
  readonly durationsMs: readonly number[];
}

/**
 * Reads what h2load prints, and its log, which has a line a request: start in µs, status, duration in µs. Requests that the end of the
 * time cut off are neither answered nor errors.
 */
export function parseH2load(output: string, log: string): H2loadReport {
  const counts = /requests: .*, (\d+) errored, (\d+) timeout/.exec(output);
  const statuses = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output);
  if (counts === null || statuses === null) throw new Error(`h2load reported nothing: ${output.slice(-500)}`);
  const [succeeded = Number.NaN, ...others] = statuses.slice(1).map(Number);
  const failures = [...counts.slice(1).map(Number), ...others];
  const durationsMs = log.split("\n").flatMap((line) => {
    const [, status, durationUs] = line.split("\t");
    return status === "200" ? [Number(durationUs) / 1000] : [];
  });
  return { requests: succeeded, errors: failures.reduce((sum, count) => sum + count, 0), durationsMs };
}
