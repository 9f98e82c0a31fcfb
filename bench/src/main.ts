// `pnpm bench [NAME]`: what to measure. Each asserts that its answers are right before it times them.
import { benchAttacks } from "./attacks/attack-bench.ts";
import { benchLoad } from "./load/load-bench.ts";
import { benchBalancers } from "./micro/balancers.ts";
import { benchConfiguration } from "./micro/configuration.ts";
import { microBenches } from "./micro/index.ts";
import { benchMatch } from "./micro/match.ts";
import { benchPush } from "./push-bench.ts";

const benches: Readonly<Record<string, (args: readonly string[]) => void | Promise<void>>> = {
  load: benchLoad,
  match: benchMatch,
  balancers: benchBalancers,
  configuration: benchConfiguration,
  push: benchPush,
  attacks: benchAttacks,
  ...microBenches,
};

const usage = `Usage: pnpm bench [NAME] [OPTIONS]

  load           Sluice beside nginx, HAProxy and Node proxies on this machine (default; see pnpm bench load --help)
  match          nanoseconds a lookup, from 1 to 10,000 routes and hosts; heap of a route
  balancers      nanoseconds a choice of an endpoint, by balancer; rings and Maglev tables: time and bytes
  configuration  10,000 VirtualServices from text to table: time a stage, bytes, heap
  push           from a call of the API to its effect in every worker, with 10 to 10,000 VirtualServices
  attacks        CPU and memory under the known attacks on HTTP/2, beside nginx, and what honest clients feel of them

  micro          match, balancers and the following, or one of them by name: nanoseconds, calls a second, bytes allocated
  decode         a table decoded, of 1 to 10,000 hosts
  delta          a change of one virtual service of 10,000, in a worker
  http1          an HTTP/1.1 request read (own codec)
  http2          HPACK both ways, and a session's request and answer (own codec)
  upstream       an upstream's answer read
  heads          the head to the upstream, and the answer's on both engines
  access-log     a line of the access log

BENCH_SECONDS and BENCH_ROUNDS set how long.
`;

const [first = "load", ...rest] = process.argv.slice(2);
// Options without a name are those of load.
const isOption = first.startsWith("--") && first !== "--help";
const bench = benches[isOption ? "load" : first];
if (bench === undefined) {
  process.stderr.write(usage);
  process.exitCode = first === "--help" ? 0 : 2;
} else await bench(isOption ? [first, ...rest] : rest);
