// A gateway of two workers that is changed through its API and asked over connections of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const sluice = fileURLToPath(new URL("../../node_modules/@sluice/ctrl/bin/sluice.js", import.meta.url));
const workers = 2;

export interface World {
  push(method: "POST" | "PUT", path: string, body: object): Promise<void>;
  /** A connection of its own; `get` resolves with the body of a 200. */
  connect(): { get(host: string): Promise<string> };
  lastCommitBytes(): Promise<number>;
  /** Since the last call. */
  longestPauseMs(): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface ReadyLine {
  readonly listeners: readonly { readonly boundPort: number }[];
  readonly admin: string;
  readonly ctrl: string;
}

/** Resolves when every worker serves the files. */
export async function startWorld(files: Readonly<Record<string, string>>): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  await mkdir(join(directory, "config"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, "config", name), text);
  const edge = { workers, bind: "127.0.0.1", ports: { 80: 0 }, drainSeconds: 1, accessLog: { path: "off" } };
  const settings = { edge, admin: { address: "127.0.0.1:0" }, ctrl: { address: "127.0.0.1:0" } };
  // JSON is YAML.
  await writeFile(join(directory, "sluice.yaml"), JSON.stringify(settings));
  const child = spawn(process.execPath, [sluice, "up", "--config", "sluice.yaml"], {
    cwd: directory,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    await rm(directory, { recursive: true });
  };
  const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), exited])) as [unknown];
  if (typeof line !== "string") {
    await rm(directory, { recursive: true });
    throw new Error("sluice up ended before it was ready");
  }
  return createWorld(JSON.parse(line) as ReadyLine, stop);
}

function createWorld({ ctrl, admin, listeners }: ReadyLine, stop: () => Promise<void>): World {
  const port = listeners[0]?.boundPort ?? 0;
  const agents: Agent[] = [];
  const metrics = async (name: string) => readMetric(await (await fetch(`${admin}/stats/prometheus`)).text(), name);
  return {
    async push(method, path, body) {
      const headers = { "content-type": "application/json" };
      const response = await fetch(ctrl + path, { method, headers, body: JSON.stringify(body) });
      const answer = (await response.json()) as { readonly convergence?: { readonly state: string } };
      if (!response.ok || answer.convergence?.state !== "converged") throw new Error(JSON.stringify(answer));
    },
    connect() {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      agents.push(agent);
      return { get: async (host) => await get({ port, agent, host }) };
    },
    async lastCommitBytes() {
      const status = (await (await fetch(`${ctrl}/v1/status`)).json()) as {
        readonly edges: readonly { readonly lastCommit: { readonly bytes: number } | null }[];
      };
      return status.edges[0]?.lastCommit?.bytes ?? Number.NaN;
    },
    longestPauseMs: async () => Math.max(...(await metrics("sluice_worker_longest_pause_seconds"))) * 1000,
    async [Symbol.asyncDispose]() {
      for (const agent of agents) agent.destroy();
      await stop();
    },
  };
}

async function get({ port, agent, host }: { readonly port: number; readonly agent: Agent; readonly host: string }) {
  const sent = request({ port, agent, host: "127.0.0.1", headers: { host } });
  sent.end();
  const [response] = (await once(sent, "response")) as [AsyncIterable<Buffer> & { readonly statusCode: number }];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  if (response.statusCode !== 200) throw new Error(`${host} answers ${response.statusCode}`);
  return Buffer.concat(chunks).toString();
}

/** The values of a metric, one a label set. */
function readMetric(text: string, name: string): readonly number[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
}
