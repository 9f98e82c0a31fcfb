// A machine of a tier whose ctrls share etcd: its own loopback address, state directory, ctrl and edge, and wires to etcd that can be cut.
import { request } from "node:http";
import { ControlApi } from "./control-api.ts";
import { CuttableWire } from "./cuttable-wire.ts";
import { freePort } from "./free-port.ts";
import { type Gateway, gateway } from "./gateway.ts";

export interface MachineStatus {
  readonly version: string | null;
  readonly number: number;
  readonly pid: number;
  readonly edges: readonly { readonly workers: readonly { readonly version: string | null }[] }[];
  readonly store: { readonly kind: string; readonly problem: string | null };
}

export interface MachineOptions {
  readonly name: string;
  /** Of 127.0.0.0/8. */
  readonly host: string;
  readonly endpoints: readonly string[];
  readonly config: Readonly<Record<string, string>>;
  /** Merged into sluice.yaml's `edge`. */
  readonly edge?: Readonly<Record<string, unknown>>;
}

export class Machine {
  readonly gateway: Gateway;
  readonly api: ControlApi;
  readonly #host: string;
  readonly #wires: readonly CuttableWire[];

  private constructor(host: string, world: Gateway, wires: readonly CuttableWire[]) {
    this.gateway = world;
    this.api = new ControlApi(world.ready.ctrl);
    this.#host = host;
    this.#wires = wires;
  }

  static async start({ name, host, endpoints, config, edge = {} }: MachineOptions): Promise<Machine> {
    const wires = await Promise.all(endpoints.map(async (url) => await CuttableWire.to(url, host)));
    const etcd = { endpoints: wires.map(({ url }) => url), prefix: "/tier/sluice", timeoutSeconds: 3 };
    try {
      const world = await gateway({
        config,
        node: { id: name },
        edge: { bind: host, ...edge },
        admin: `${host}:0`,
        // A fixed port: a ctrl that was killed comes back where it was.
        ctrl: `${host}:${await freePort(host)}`,
        ctrlSettings: { store: { kind: "etcd", etcd } },
      });
      return new Machine(host, world, wires);
    } catch (error) {
      await Promise.all(wires.map(async (wire) => await wire[Symbol.asyncDispose]()));
      throw error;
    }
  }

  async status(): Promise<MachineStatus> {
    return (await this.api.ask<MachineStatus>("/v1/status")).body;
  }

  /** The stored version and the digest that ctrl and every worker here run, as one text; null while they differ. */
  async converged(): Promise<string | null> {
    const { version, number, edges } = await this.status();
    const workers = edges.flatMap((edge) => edge.workers.map((worker) => worker.version));
    return workers.length > 0 && workers.every((digest) => digest === version) ? `${number} ${version}` : null;
  }

  /** The status of a request to the edge, on a connection of its own. */
  async get(hostHeader: string, path: string): Promise<number> {
    return await new Promise((resolve, reject) => {
      const port = this.gateway.port(80);
      const options = { host: this.#host, port, path, headers: { host: hostHeader }, agent: false };
      request(options, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
        response.on("error", reject);
      })
        .on("error", reject)
        .end();
    });
  }

  cutFromEtcd(): void {
    for (const wire of this.#wires) wire.cut();
  }

  mend(): void {
    for (const wire of this.#wires) wire.mend();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await Promise.all(this.#wires.map(async (wire) => await wire[Symbol.asyncDispose]()));
  }
}

export interface SteadyTraffic {
  /** @returns how many requests there were, and what went wrong */
  stop(): Promise<{ readonly requests: number; readonly failures: readonly string[] }>;
}

/** Asks every machine again and again, until it is stopped. */
export function startTraffic(machines: readonly Machine[], hostHeader: string, path: string): SteadyTraffic {
  const failures: string[] = [];
  let requests = 0;
  let isStopped = false;
  const loops = machines.map(async (machine, place) => {
    while (!isStopped) {
      const outcome = await machine.get(hostHeader, path).catch(String);
      requests++;
      if (outcome !== 200) failures.push(`machine ${place}: ${outcome}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  return {
    async stop() {
      isStopped = true;
      await Promise.all(loops);
      return { requests, failures };
    },
  };
}
