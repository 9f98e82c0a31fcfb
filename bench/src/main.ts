// `pnpm bench [load|match|balancers|configuration]`: what to measure. Each asserts that its answers are right before it times them.
import { benchLoad } from "./load-bench.ts";
import { benchBalancers } from "./micro/balancers.ts";
import { benchConfiguration } from "./micro/configuration.ts";
import { benchMatch } from "./micro/match.ts";

const benches: Readonly<Record<string, () => void | Promise<void>>> = {
  load: benchLoad,
  match: benchMatch,
  balancers: benchBalancers,
  configuration: benchConfiguration,
};

const usage = `Usage: pnpm bench [load|match|balancers|configuration]

  load           CPU a request beside nginx, on this machine (default; needs taskset, nginx, wrk, h2load)
  match          nanoseconds a lookup, from 1 to 10,000 routes and hosts; heap of a route
  balancers      nanoseconds a choice of an endpoint, by balancer; rings and Maglev tables: time and bytes
  configuration  10,000 VirtualServices from text to table: time a stage, bytes, heap

BENCH_SECONDS and BENCH_ROUNDS set how long.
`;

const [name = "load"] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(usage);
  process.exitCode = name === "--help" ? 0 : 2;
} else await bench();
