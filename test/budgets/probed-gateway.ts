// A gateway whose processes tell what they allocate, hold and load: see probe.mjs.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Gateway, gateway, type GatewayOptions } from "../support/gateway.ts";

export interface UsedMemory {
  readonly heapBytes: number;
  /** Outside the heap: what Buffers hold. */
  readonly bufferBytes: number;
}

export interface Script {
  /** `file:///...` or a path, `node:...`, or empty. */
  readonly url: string;
  readonly bytes: number;
}

interface Answers {
  readonly title: string;
  readonly begin: UsedMemory;
  readonly end: UsedMemory & { readonly collections: number };
  readonly live: UsedMemory;
  readonly scripts: readonly Script[];
}

/** The processes of `sluice up`, by the last word of their titles. */
export type ProcessName = "up" | "ctrl" | "edge" | "worker";

export class Probe {
  readonly pid: number;
  readonly #path: string;

  constructor(directory: string, pid: number) {
    this.pid = pid;
    this.#path = join(directory, String(pid));
  }

  async ask<Question extends keyof Answers>(question: Question): Promise<Answers[Question]> {
    const socket = connect(this.#path);
    socket.write(question);
    return JSON.parse(await text(socket)) as Answers[Question];
  }
}

export interface ProbedGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly probes: Readonly<Record<ProcessName, Probe>>;
}

/** Starts a gateway of one worker with a probe in every process. */
export async function probedGateway(options: GatewayOptions): Promise<ProbedGateway> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-probes-"));
  const preload = `--import=${new URL("probe.mjs", import.meta.url).href}`;
  const env = { SLUICE_PROBES: directory, NODE_OPTIONS: preload };
  const world = await gateway({ ...options, edge: { workers: 1, ...options.edge }, env });
  return {
    gateway: world,
    probes: await probesIn(directory),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function probesIn(directory: string): Promise<Record<ProcessName, Probe>> {
  const named: Partial<Record<string, Probe>> = {};
  for (const name of await readdir(directory)) {
    const probe = new Probe(directory, Number(name));
    // `sluice: worker 1` -> worker
    const process = (await probe.ask("title")).split(" ")[1] ?? "";
    named[process] = probe;
  }
  const { up, ctrl, edge, worker } = named;
  if (up === undefined || ctrl === undefined || edge === undefined || worker === undefined)
    throw new Error(`of the gateway's processes only these answered: ${Object.keys(named).join(", ")}`);
  return { up, ctrl, edge, worker };
}
