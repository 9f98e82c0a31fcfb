// etcd for a story or a test: a cluster of real members on free ports of this machine, with its own directory; everything ends with the test.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

/** Debian's `etcd-server`. Where it is missing the tests that need it are skipped, and say so. */
export const hasEtcd = spawnSync("etcd", ["--version"]).status === 0;
if (!hasEtcd)
  console.warn("etcd is not installed (apt-get install etcd-server): the tests of the store in etcd are skipped");

export interface EtcdOptions {
  readonly members?: number;
  /** Host of each member's ports by its place; default 127.0.0.1. */
  readonly host?: (place: number) => string;
  readonly args?: readonly string[];
  /** What clients are told to use, and the scheme they use. */
  readonly scheme?: "http" | "https";
}

export class EtcdMember {
  readonly name: string;
  readonly url: string;
  readonly #args: readonly string[];
  #process: ChildProcess | null = null;

  constructor(name: string, url: string, args: readonly string[]) {
    this.name = name;
    this.url = url;
    this.#args = args;
  }

  start(): void {
    const started = spawn("etcd", this.#args, { stdio: "ignore" });
    endWithThisProcess(started);
    this.#process = started;
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, "exit");
    running.kill("SIGKILL");
    await gone;
  }

  /** What the member itself says; null while it does not answer. */
  async status(): Promise<{ readonly leader: string; readonly header: { readonly member_id: string } } | null> {
    try {
      const signal = AbortSignal.timeout(1_000);
      const response = await fetch(`${this.url}/v3/maintenance/status`, { method: "POST", body: "{}", signal });
      return (await response.json()) as Awaited<ReturnType<EtcdMember["status"]>>;
    } catch {
      return null;
    }
  }
}

/** A test that hangs is killed and disposes of nothing: then a shell, whose input has ended with us, does. */
function endWithThisProcess(started: ChildProcess): void {
  const script = `cat >/dev/null; kill -9 ${started.pid}`;
  const guard = spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"] });
  started.once("exit", () => guard.kill("SIGKILL"));
}

export class EtcdCluster {
  readonly members: readonly EtcdMember[];
  readonly #directory: string;

  constructor(members: readonly EtcdMember[], directory: string) {
    this.members = members;
    this.#directory = directory;
  }

  get endpoints(): string[] {
    return this.members.map(({ url }) => url);
  }

  /** The member that leads, in the words of a majority's members. */
  async leader(): Promise<EtcdMember> {
    return await eventually("a leader of etcd", async () => {
      for (const member of this.members) {
        const status = await member.status();
        if (status !== null && status.leader === status.header.member_id) return member;
      }
      return null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map(async (member) => await member.kill()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Starts a cluster and resolves when it has a leader (with `https`: when it was started). */
export async function etcdCluster({
  members: count = 1,
  host = () => "127.0.0.1",
  args = [],
  scheme = "http",
}: EtcdOptions = {}): Promise<EtcdCluster> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-etcd-"));
  const places = await Promise.all(
    Array.from({ length: count }, async (_, place) => ({
      name: `etcd-${place}`,
      client: `${scheme}://${host(place)}:${await freePort(host(place))}`,
      peer: `http://${host(place)}:${await freePort(host(place))}`,
    })),
  );
  const initial = places.map(({ name, peer }) => `${name}=${peer}`).join(",");
  const members = places.map(({ name, client, peer }) => {
    const urls = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer];
    const where = ["--name", name, "--data-dir", join(directory, name), "--initial-advertise-peer-urls", peer];
    // Faster than the default elections, as members are one machine; nothing is written for good.
    const pace = ["--heartbeat-interval", "50", "--election-timeout", "500"];
    return new EtcdMember(name, client, [...where, ...urls, "--initial-cluster", initial, ...pace, ...args]);
  });
  const cluster = new EtcdCluster(members, directory);
  for (const member of members) member.start();
  try {
    if (scheme === "http") await cluster.leader();
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}
