// One measurement: a contender under one load, and what it used of the machine meanwhile.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { IdleOptions } from "./clients/idle.ts";
import { hostName } from "./contender.ts";
import { clientProgram, loadByHandshakes, loadByMessages, loadByMutualTls } from "./generators/clients.ts";
import { loadByH2load, loadOpenly } from "./generators/h2load.ts";
import type { LoadResult, LoadTarget, Tools } from "./generators/load-result.ts";
import { loadByWrk } from "./generators/wrk.ts";
import type { Entrant } from "./lineup.ts";
import type { Sample } from "./metrics.ts";
import type { ClosedLoad, IdleLoad, Load } from "./scenarios.ts";
import { countConnections } from "./ports.ts";
import { cpuTimeUs, memoryOf, memoryOfTree } from "./usage.ts";

export interface Measurement {
  readonly entrant: Entrant;
  readonly load: Load;
  readonly seconds: number;
  /** Of an open loop. */
  readonly rate: number;
}

export async function measure({ entrant, load, seconds, rate }: Measurement, tools: Tools): Promise<Sample> {
  switch (load.kind) {
    case "closed":
      return load.reloadEveryMs === undefined
        ? await observe(entrant, () => loadClosed(entrant, load, seconds, tools))
        : await observeReloads(entrant, load.reloadEveryMs, () => loadClosed(entrant, load, seconds, tools));
    case "open": {
      const target = { ...targetOf(entrant, load.door, seconds), path: load.path };
      // Connections are made meanwhile: what CPU a request took cannot be told.
      const { cpuUs: _cpuUs, busy: _busy, ...sample } = await observe(entrant, () => loadOpenly(target, rate, tools));
      return { ...sample, ratePerSecond: rate };
    }
    case "handshakes": {
      const target = { ...targetOf(entrant, "tls", seconds), connections: 16 };
      return await observe(entrant, () => loadByHandshakes(target, load.isResumed, tools));
    }
    case "messages": {
      const target = { ...targetOf(entrant, "plain", seconds), path: "/", bodyBytes: load.messageBytes };
      return await observe(entrant, () => loadByMessages(target, tools));
    }
    case "idle":
      return await holdIdle(entrant, load, tools);
    case "start":
      return await started(entrant);
  }
}

function targetOf({ contender, site }: Entrant, door: LoadTarget["door"], seconds: number): LoadTarget {
  const port = contender.doors[door] ?? 0;
  return { port, door, path: "/small", connections: 64, seconds, hosts: site.hosts, bodyBytes: 0 };
}

function loadClosed(entrant: Entrant, load: ClosedLoad, seconds: number, tools: Tools): Promise<LoadResult> {
  const { door, path, connections, bodyBytes = 0, streams = 1 } = load;
  const target = { ...targetOf(entrant, door, seconds), path, connections, bodyBytes };
  if (door === "h2") return loadByH2load(target, streams, tools);
  // wrk has no way to show a certificate.
  return door === "mtls" ? loadByMutualTls(target, tools) : loadByWrk(target, tools);
}

async function observe({ contender }: Entrant, run: () => Promise<LoadResult>): Promise<Sample> {
  const before = await cpuTimeUs(contender.process.pid);
  const { requests, seconds, errors, latency } = await run();
  const usedUs = (await cpuTimeUs(contender.process.pid)) - before;
  const memory = await memoryOfTree(contender.process.pid);
  if (requests === 0) throw new Error(`not one request was answered (${errors} errors)`);
  return {
    perSecond: requests / seconds,
    cpuUs: usedUs / requests,
    busy: usedUs / 1e6 / seconds,
    ...latency,
    ...memory,
    errors,
  };
}

/** The same, with the configuration changed all the while. */
async function observeReloads(entrant: Entrant, everyMs: number, run: () => Promise<LoadResult>): Promise<Sample> {
  const { contender } = entrant;
  if (contender.reload === undefined) throw new Error("it has no reload");
  let isOver = false;
  let reloads = 0;
  const reloading = (async () => {
    while (!isOver) {
      const due = sleep(everyMs);
      await contender.reload?.(Date.now());
      reloads += 1;
      await due;
    }
  })();
  try {
    const sample = await observe(entrant, run);
    return { ...sample, reloads };
  } finally {
    isOver = true;
    await reloading;
  }
}

/** Memory of the workers, before and after: what other processes of a contender do meanwhile has nothing to do with connections. */
async function holdIdle({ contender }: Entrant, load: IdleLoad, tools: Tools): Promise<Sample> {
  const workers = await contender.workerPids();
  const before = await memoryOf(workers);
  const port = contender.doors[load.door] ?? 0;
  const options: IdleOptions = {
    port,
    host: hostName(0),
    path: "/small",
    connections: load.connections,
    isSecure: load.door !== "plain",
  };
  const args = [clientProgram("idle"), JSON.stringify(options)];
  const client = tools.processes.start(process.execPath, args, { cores: tools.machine.loadCore });
  try {
    const output = client.child.stdout;
    if (output === null) throw new Error("the client has no output");
    const [line] = (await Promise.race([
      once(createInterface(output), "line", { signal: tools.signal }),
      client.ended().then(() => []),
    ])) as [string | undefined];
    if (line === undefined) throw new Error(`the client ended: ${client.stderr}`);
    const after = await memoryOf(workers);
    // Counted where they are held: some contenders close what is idle.
    const openConnections = await countConnections(port);
    const connectionKib = ((after.pssMib - before.pssMib) * 1024) / openConnections;
    // A few of the warm-up may still be closing.
    const errors = Math.max(0, load.connections - openConnections);
    return { openConnections, connectionKib, ...(await memoryOfTree(contender.process.pid)), errors };
  } finally {
    await client.stop();
  }
}

async function started({ contender }: Entrant): Promise<Sample> {
  const workers = await memoryOf(await contender.workerPids());
  return { readyMs: contender.readyMs, workerRssMib: workers.rssMib, ...(await memoryOfTree(contender.process.pid)) };
}
