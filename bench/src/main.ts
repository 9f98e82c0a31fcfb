// `pnpm bench [load|match|balancers|configuration|push|attacks]`: what to measure. Each asserts that its answers are right before it times them.
import { benchAttacks } from "./attacks/attack-bench.ts";
import { benchLoad } from "./load-bench.ts";
import { benchBalancers } from "./micro/balancers.ts";
import { benchConfiguration } from "./micro/configuration.ts";
import { benchMatch } from "./micro/match.ts";
import { benchPush } from "./push-bench.ts";

const benches: Readonly<Record<string, () => void | Promise<void>>> = {
  load: benchLoad,
  match: benchMatch,
  balancers: benchBalancers,
  configuration: benchConfiguration,
  push: benchPush,
  attacks: benchAttacks,
};

const usage = `Usage: pnpm bench [load|match|balancers|configuration|push|attacks]

  load           CPU a request beside nginx, on this machine (default; needs taskset, nginx, wrk, h2load)
  match          nanoseconds a lookup, from 1 to 10,000 routes and hosts; heap of a route
  balancers      nanoseconds a choice of an endpoint, by balancer; rings and Maglev tables: time and bytes
  configuration  10,000 VirtualServices from text to table: time a stage, bytes, heap
  push           from a call of the API to its effect in every worker, with 10 to 10,000 VirtualServices
  attacks        CPU and memory under the known attacks on HTTP/2, beside nginx, and what honest clients feel of them

BENCH_SECONDS and BENCH_ROUNDS set how long.
`;

const [name = "load"] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(usage);
  process.exitCode = name === "--help" ? 0 : 2;
} else await bench();
