// `pnpm bench`: CPU a request of Sluice beside nginx, in one run on this machine. Contenders have core 0, load and backend core 1;
// rounds alternate, the median counts. Needs Linux, taskset, nginx, wrk and h2load (Debian: nginx-light wrk nghttp2-client).
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Contender,
  ports,
  startBackend,
  startNginxProxy,
  startSluice,
  startSluiceOwn,
  writeCertificate,
} from "./contenders.ts";
import { cpuTimeUs } from "./cpu.ts";
import { loadHttp1, loadHttp2, type LoadOptions, type LoadResult } from "./load.ts";

interface Scenario {
  readonly name: string;
  readonly contender: "nginx" | "sluice" | "own";
  readonly url: string;
  load(options: LoadOptions): Promise<LoadResult>;
}

const proxyCore = 0;
const loadCore = 1;
const seconds = Number(process.env["BENCH_SECONDS"] ?? 4);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);

const path = "/status/200";
const scenarios: readonly Scenario[] = [
  { name: "plain h1", contender: "nginx", url: `http://127.0.0.1:${ports.nginx}${path}`, load: loadHttp1 },
  { name: "plain h1, uws", contender: "sluice", url: `http://127.0.0.1:${ports.uws}${path}`, load: loadHttp1 },
  { name: "plain h1, node", contender: "sluice", url: `http://127.0.0.1:${ports.node}${path}`, load: loadHttp1 },
  { name: "plain h1, own codec", contender: "own", url: `http://127.0.0.1:${ports.own}${path}`, load: loadHttp1 },
  { name: "TLS h1", contender: "nginx", url: `https://127.0.0.1:${ports.nginxTls}${path}`, load: loadHttp1 },
  { name: "TLS h1, uws", contender: "sluice", url: `https://127.0.0.1:${ports.uwsTls}${path}`, load: loadHttp1 },
  { name: "TLS h1, node", contender: "sluice", url: `https://127.0.0.1:${ports.nodeTls}${path}`, load: loadHttp1 },
  { name: "TLS h1, own codec", contender: "own", url: `https://127.0.0.1:${ports.ownTls}${path}`, load: loadHttp1 },
  { name: "TLS h2", contender: "nginx", url: `https://127.0.0.1:${ports.nginxTls}${path}`, load: loadHttp2 },
  { name: "TLS h2, node", contender: "sluice", url: `https://127.0.0.1:${ports.nodeTls}${path}`, load: loadHttp2 },
  { name: "TLS h2, own codec", contender: "own", url: `https://127.0.0.1:${ports.ownTls}${path}`, load: loadHttp2 },
];

async function measure(scenario: Scenario, contender: Contender): Promise<{ cpuUs: number; perSecond: number }> {
  const before = await cpuTimeUs(contender.pids);
  const result = await scenario.load({ url: scenario.url, seconds, core: loadCore });
  const after = await cpuTimeUs(contender.pids);
  if (result.errors !== "") throw new Error(`${scenario.contender} ${scenario.name}: ${result.errors}`);
  return { cpuUs: (after - before) / result.requests, perSecond: result.requests / result.seconds };
}

/** A contender that answers something else than the backend's answer is not measured. */
function assertAnswers(): void {
  for (const { url } of scenarios) {
    const body = execFileSync("curl", ["-sk", "--max-time", "5", url], { encoding: "utf8" });
    if (!body.includes("hello from the backend")) throw new Error(`${url} answers ${JSON.stringify(body)}`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function describeMachine(): string {
  const nginx = execFileSync("sh", ["-c", "nginx -v 2>&1"], { encoding: "utf8" }).trim().replace("nginx version: ", "");
  return `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores; node ${process.version}; ${nginx}`;
}

/** Measures every scenario and prints the table. */
export async function benchLoad(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const started: Contender[] = [];
  try {
    await writeCertificate(directory);
    started.push(await startBackend(directory, loadCore));
    const contenders = {
      nginx: await startNginxProxy(directory, proxyCore),
      sluice: await startSluice(directory, proxyCore),
      own: await startSluiceOwn(directory, proxyCore),
    };
    started.push(...Object.values(contenders));
    assertAnswers();
    const results = scenarios.map((scenario) => ({ scenario, cpuUs: [] as number[], perSecond: [] as number[] }));
    for (let round = 1; round <= rounds; round++) {
      for (const result of results) {
        const { cpuUs, perSecond } = await measure(result.scenario, contenders[result.scenario.contender]);
        result.cpuUs.push(cpuUs);
        result.perSecond.push(perSecond);
        process.stderr.write(
          `round ${round}/${rounds}  ${result.scenario.contender} ${result.scenario.name}: ${cpuUs.toFixed(1)} µs\n`,
        );
      }
    }
    process.stdout.write(
      `${describeMachine()}\n\n| scenario | CPU µs a request | requests/s | against nginx |\n| --- | --- | --- | --- |\n`,
    );
    let peerUs = Number.NaN;
    for (const { scenario, cpuUs, perSecond } of results) {
      if (scenario.contender === "nginx") peerUs = median(cpuUs);
      const cells = [`${scenario.contender} ${scenario.name}`, median(cpuUs).toFixed(1), median(perSecond).toFixed(0)];
      process.stdout.write(`| ${[...cells, (median(cpuUs) / peerUs).toFixed(2)].join(" | ")} |\n`);
    }
  } finally {
    for (const contender of started.toReversed()) await contender.stop();
    await rm(directory, { recursive: true });
  }
}
