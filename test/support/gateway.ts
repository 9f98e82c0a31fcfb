// A whole gateway for a story: `sluice up` as a user runs it, on free ports, with its own directory; everything ends with the test.
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { codecOfRun } from "./engines.ts";
import { LineReader } from "./lines.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const sluice = join(root, "node_modules/@sluice/ctrl/bin/sluice.js");

export interface GatewayOptions {
  /** Configuration files by name. */
  readonly config: Readonly<Record<string, string>>;
  /** Merged into sluice.yaml's `edge`. */
  readonly edge?: Readonly<Record<string, unknown>>;
  /** Declared ports to bind; each gets a free one. Default 80 and 443. */
  readonly ports?: readonly number[];
  /** `up` (default), or the two programs alone. */
  readonly programs?: "up" | "ctrl+edge";
  readonly node?: Readonly<Record<string, unknown>>;
  /** Addresses of the admin port and of the API. Default: free ports, which change with every start. */
  readonly admin?: string;
  readonly ctrl?: string;
  /** Merged into sluice.yaml's `ctrl`. */
  readonly ctrlSettings?: Readonly<Record<string, unknown>>;
  /** Added to the environment of its processes. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ReadyLine {
  readonly event: "ready";
  readonly version: string;
  readonly workers: number;
  readonly listeners: readonly {
    name: string;
    address: string;
    port: number;
    boundPort: number;
    engine: "uws" | "node";
  }[];
  readonly admin: string;
  readonly ctrl: string;
}

/** One running program and its output. */
export class Program {
  readonly process: ChildProcess;
  readonly stdout: LineReader;
  readonly stderr: LineReader;
  readonly exited: Promise<number | null>;

  constructor(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
    const stdio = ["ignore", "pipe", "pipe"] satisfies StdioOptions;
    this.process = spawn(process.execPath, [sluice, ...args], { cwd, stdio, env: { ...process.env, ...env } });
    this.stdout = new LineReader(this.process.stdout);
    this.stderr = new LineReader(this.process.stderr);
    this.exited = once(this.process, "exit").then(([code]) => code as number | null);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  async stop(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 15_000);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}

export class Gateway {
  readonly directory: string;
  readonly programs: Program[];
  ready: ReadyLine;

  constructor(directory: string, programs: Program[], ready: ReadyLine) {
    this.directory = directory;
    this.programs = programs;
    this.ready = ready;
  }

  get configDirectory(): string {
    return join(this.directory, "config");
  }

  /** The program that runs the edge (`up` or `edge`). */
  get edge(): Program {
    return this.programs.at(-1) as Program;
  }

  /** The port really bound for a listener's port. */
  port(listenerPort: number): number {
    const listener = this.ready.listeners.find(({ port }) => port === listenerPort);
    if (listener === undefined)
      throw new Error(`no listener on ${listenerPort}: ${JSON.stringify(this.ready.listeners)}`);
    return listener.boundPort;
  }

  engine(listenerPort: number): "uws" | "node" | undefined {
    return this.ready.listeners.find(({ port }) => port === listenerPort)?.engine;
  }

  url(listenerPort: number, path = "/"): string {
    return `http://127.0.0.1:${this.port(listenerPort)}${path}`;
  }

  /** Writes configuration files by rename, as careful tools do. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.configDirectory, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}~`, text);
      await rename(`${path}~`, path);
    }
  }

  /** Changes configuration and resolves when the edge serves the result. Returns its version. */
  async reload(files: Readonly<Record<string, string>>): Promise<string> {
    const live = this.nextTable();
    await this.write(files);
    return live;
  }

  /** The version of the next table that goes live after this call. */
  async nextTable(): Promise<string> {
    const { version } = await this.edge.stderr.nextJson<{ msg: string; version: string }>(
      ({ msg }) => msg === "table is live",
    );
    return version;
  }

  async status(): Promise<StatusBody> {
    return (await (await fetch(`${this.ready.ctrl}/v1/status`)).json()) as StatusBody;
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.ready.admin}/stats/prometheus`)).text();
  }

  /** Access log lines look like this one; resolves with the next. */
  nextAccessLogLine(): Promise<string> {
    return this.edge.stdout.next((line) => line.startsWith("["));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.programs.toReversed()) await program.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export interface StatusBody {
  readonly version: string | null;
  readonly pid: number;
  readonly edges: readonly {
    readonly id: string;
    readonly workers: readonly { worker: number; pid: number; version: string | null }[];
    readonly version: string | null;
    readonly listeners: readonly { name: string; port: number; boundPort: number }[];
    readonly nack: { readonly version: string; readonly reason: string } | null;
  }[];
  readonly lastAttempt: { readonly ok: boolean; readonly diagnostics: readonly Record<string, unknown>[] } | null;
}

/** Starts a gateway and resolves when it is ready. */
export async function gateway(options: GatewayOptions): Promise<Gateway> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-story-"));
  await writeGatewayFiles(directory, options);
  const names = options.programs === "ctrl+edge" ? ["ctrl", "edge"] : ["up"];
  const programs = names.map((name) => new Program([name, "--config", "sluice.yaml"], directory, options.env));
  const world = new Gateway(directory, programs, notReady);
  try {
    world.ready = await readyLine(world.edge);
    return world;
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

const notReady: ReadyLine = { event: "ready", version: "", workers: 0, listeners: [], admin: "", ctrl: "" };

export async function readyLine(program: Program): Promise<ReadyLine> {
  return program.stdout.nextJson<ReadyLine>(({ event }) => event === "ready");
}

/** Writes sluice.yaml and the configuration below `directory`. */
export async function writeGatewayFiles(directory: string, options: GatewayOptions): Promise<void> {
  const ports = Object.fromEntries((options.ports ?? [80, 443]).map((port) => [port, 0]));
  const settings = {
    ...(options.node === undefined ? {} : { node: options.node }),
    edge: {
      workers: 2,
      bind: "127.0.0.1",
      ports,
      drainSeconds: 5,
      ...(codecOfRun === undefined ? {} : { codec: codecOfRun }),
      ...options.edge,
    },
    admin: { address: options.admin ?? "127.0.0.1:0" },
    ctrl: { address: options.ctrl ?? "127.0.0.1:0", ...options.ctrlSettings },
  };
  await writeFile(join(directory, "sluice.yaml"), stringify(settings));
  await mkdir(join(directory, "config"), { recursive: true });
  for (const [name, text] of Object.entries(options.config)) {
    const path = join(directory, "config", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
