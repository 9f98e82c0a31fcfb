// A tier of machines on loopback addresses: ctrls on 127.0.0.1, an edge on each of 127.0.0.2 and up, everyone with a directory, a
// certificate and settings of its own, and nothing shared but the configuration that the ctrls read.
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, createAuthority } from "@sluice/demo/certificates";
import { stringify } from "yaml";
import { curl } from "./curl.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { Program, type ReadyLine, readyLine } from "./gateway.ts";

export interface TierStatus {
  readonly version: string | null;
  readonly edges: readonly TierEdgeStatus[];
}

export interface TierEdgeStatus {
  readonly id: string;
  readonly address: string;
  readonly version: string | null;
  readonly pending: string | null;
  readonly workers: readonly { worker: number; version: string | null; since: string; appliedMs: number }[];
  readonly nack: { readonly version: string; readonly reason: string } | null;
  readonly bytesSent: number;
  readonly lastCommit: { readonly version: string; readonly bytes: number; readonly resources: number } | null;
}

const workersOfEdge = 2;
/** A tier is a dozen processes, and the machine may be busy. */
const limitMs = 20_000;

export class TierCtrl {
  readonly api: string;
  readonly publishAddress: string;
  program: Program;
  readonly #directory: string;

  constructor(directory: string, api: number, publish: number) {
    this.#directory = directory;
    this.api = `http://127.0.0.1:${api}`;
    this.publishAddress = `127.0.0.1:${publish}`;
    this.program = this.#run();
  }

  async restart(): Promise<void> {
    this.program = this.#run();
    await this.untilUp();
  }

  /** Resolves when edges can connect. */
  async untilUp(): Promise<void> {
    await this.program.stderr.next((line) => line.includes("control plane is up"));
  }

  async status(): Promise<TierStatus> {
    return (await (await fetch(`${this.api}/v1/status`)).json()) as TierStatus;
  }

  /** Resolves when every worker of these edges serves the current version, and, where one is given, no other than it. */
  untilConverged(ids: readonly string[], isWanted: (version: string) => boolean = () => true): Promise<TierStatus> {
    return eventually(
      `one version in every worker of ${ids.join(", ")}`,
      () => this.#converged(ids, isWanted),
      limitMs,
    );
  }

  async #converged(ids: readonly string[], isWanted: (version: string) => boolean): Promise<TierStatus | null> {
    const status = await this.status().catch(() => null);
    if (status === null || status.version === null || !isWanted(status.version)) return null;
    const isThere = ids.every((id) => {
      const edge = status.edges.find((one) => one.id === id);
      // One that has a table under way may be about to serve that.
      if (edge === undefined || edge.pending !== null) return false;
      const isServing = edge.workers.every(({ version }) => version === status.version);
      return isServing && edge.workers.length === workersOfEdge && edge.version === status.version;
    });
    return isThere ? status : null;
  }

  #run(): Program {
    return new Program(["ctrl", "--config", "sluice.yaml"], this.#directory);
  }
}

export class TierEdge {
  readonly id: string;
  readonly address: string;
  readonly directory: string;
  program: Program;
  ready: ReadyLine | null = null;

  constructor(id: string, address: string, directory: string) {
    this.id = id;
    this.address = address;
    this.directory = directory;
    this.program = this.#run();
  }

  /** Resolves when it serves. */
  async untilReady(): Promise<void> {
    this.ready = await readyLine(this.program);
  }

  async restart(): Promise<void> {
    this.program = this.#run();
    await this.untilReady();
  }

  port(listenerPort: number): number {
    return this.ready?.listeners.find(({ port }) => port === listenerPort)?.boundPort ?? 0;
  }

  async ask(host: string, path: string): Promise<number> {
    return (await curl("-H", `host: ${host}`, `http://${this.address}:${this.port(80)}${path}`)).status;
  }

  #run(): Program {
    return new Program(["edge", "--config", "sluice.yaml"], this.directory);
  }
}

export class Tier implements AsyncDisposable {
  readonly authority: Authority;
  readonly ctrls: TierCtrl[] = [];
  readonly edges: TierEdge[] = [];
  readonly #directory: string;

  constructor(directory: string, authority: Authority) {
    this.#directory = directory;
    this.authority = authority;
  }

  get ids(): string[] {
    return this.edges.map(({ id }) => id);
  }

  /** Writes configuration files by rename, where every ctrl reads them. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.#directory, "config", name);
      await writeFile(`${path}~`, text);
      await rename(`${path}~`, path);
    }
  }

  /** Makes the directory of a machine, with its settings and its certificate; returns it. */
  async machine(name: string, settings: object, identity: { readonly client: boolean }): Promise<string> {
    const directory = join(this.#directory, name);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "sluice.yaml"), stringify(settings));
    await this.renew(name, identity);
    await writeFile(join(directory, "ca.crt"), this.authority.certificatePem);
    return directory;
  }

  /** Gives a machine another certificate of its name. */
  async renew(name: string, { client }: { readonly client: boolean }): Promise<void> {
    const names = client ? { dnsNames: [name], client } : { dnsNames: [name], ipAddresses: ["127.0.0.1"] };
    const { chainPem, keyPem } = await this.authority.issue({ commonName: name, ...names });
    await writeFile(join(this.#directory, name, "tls.key"), keyPem);
    await writeFile(join(this.#directory, name, "tls.crt"), chainPem);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const programs = [...this.edges, ...this.ctrls].map(({ program }) => program);
    await Promise.all(programs.map((program) => program.stop()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export interface TierOptions {
  readonly config: Readonly<Record<string, string>>;
  readonly ctrls: number;
  readonly edges: number;
  /** Declared ports, and what each edge binds for them; 0 takes a free one. */
  readonly ports?: Readonly<Record<number, number>>;
}

/** Starts a tier and resolves when every edge serves. */
export async function tier({ config, ctrls, edges, ports = { 80: 0 } }: TierOptions): Promise<Tier> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-tier-"));
  const world = new Tier(directory, await createAuthority({ commonName: "machines" }));
  try {
    await mkdir(join(directory, "config"));
    await world.write(config);
    for (let number = 1; number <= ctrls; number++) world.ctrls.push(await startCtrl(world, number));
    // An edge that finds the first one not there yet would stay with the second.
    await Promise.all(world.ctrls.map((ctrl) => ctrl.untilUp()));
    const addresses = world.ctrls.map(({ publishAddress }) => publishAddress);
    for (let number = 1; number <= edges; number++)
      world.edges.push(await startEdge(world, number, { addresses, ports }));
    await Promise.all(world.edges.map((edge) => edge.untilReady()));
    return world;
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

async function startCtrl(world: Tier, number: number): Promise<TierCtrl> {
  const [api, publish] = [await freePort(), await freePort()];
  const tls = { certificate: "tls.crt", privateKey: "tls.key", clientCa: "ca.crt" };
  const settings = {
    config: { directory: "../config" },
    ctrl: { address: `127.0.0.1:${api}`, publish: { address: `127.0.0.1:${publish}`, tls } },
  };
  return new TierCtrl(await world.machine(`ctrl-${number}`, settings, { client: false }), api, publish);
}

async function startEdge(
  world: Tier,
  number: number,
  { addresses, ports }: { readonly addresses: readonly string[]; readonly ports: Readonly<Record<number, number>> },
): Promise<TierEdge> {
  const [id, address] = [`edge-${number}`, `127.0.0.${number + 1}`];
  const ctrlTls = { certificate: "tls.crt", privateKey: "tls.key", ca: "ca.crt" };
  const settings = {
    node: { id },
    edge: {
      workers: workersOfEdge,
      bind: address,
      ports,
      drainSeconds: 2,
      accessLog: { path: "off" },
      ctrl: addresses,
      ctrlTls,
    },
    admin: { address: "127.0.0.1:0" },
  };
  return new TierEdge(id, address, await world.machine(id, settings, { client: true }));
}
