// wrk: HTTP/1.1 in clear or over TLS, closed loop (a connection sends its next request when it has the answer to the last).
import { fileURLToPath } from "node:url";
import { limitOf, type LoadResult, type LoadTarget, type Tools } from "./load-result.ts";

const script = fileURLToPath(new URL("../../../load/wrk.lua", import.meta.url));

export async function loadByWrk(target: LoadTarget, tools: Tools): Promise<LoadResult> {
  const { port, door, path, connections, seconds, hosts, bodyBytes } = target;
  const url = `${door === "plain" ? "http" : "https"}://127.0.0.1:${port}/`;
  const options = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script, url];
  const args = [...options, "--", String(hosts), path, String(bodyBytes)];
  const where = { cores: tools.machine.loadCore, signal: tools.signal, limitMs: limitOf(seconds) };
  return parseWrk(await tools.processes.run("wrk", args, where));
}

/** Reads the line of JSON that load/wrk.lua prints last. Throws when it is not there. */
export function parseWrk(output: string): LoadResult {
  const line = output.split("\n").findLast((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(`wrk reported nothing: ${output.slice(-500)}`);
  const report = JSON.parse(line) as Readonly<Record<string, number>>;
  const field = (name: string) => report[name] ?? Number.NaN;
  const errors = ["connect", "read", "write", "status", "timeout"].reduce((sum, name) => sum + field(name), 0);
  return {
    // wrk counts an answer of another status among its requests.
    requests: field("requests") - field("status"),
    seconds: field("durationUs") / 1e6,
    errors,
    latency: {
      p50Ms: field("p50") / 1000,
      p90Ms: field("p90") / 1000,
      p99Ms: field("p99") / 1000,
      maxMs: field("max") / 1000,
    },
  };
}
