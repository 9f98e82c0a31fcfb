// Three machines, each with a ctrl and an edge, and three members of etcd as the one truth of all. Whatever fails, traffic goes on, writes
// resume, nothing acknowledged is lost, and everybody ends on one digest.
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, virtualService } from "../support/config.ts";
import { etcdCluster, hasEtcd } from "../support/etcd.ts";
import { eventually } from "../support/eventually.ts";
import { holdPort } from "../support/free-port.ts";
import { Machine, startTraffic } from "../support/machine.ts";
import { isAlive, kill } from "../support/processes.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const slowMs = 20_000;

describe.runIf(hasEtcd)("three machines and etcd", async () => {
  if (!hasEtcd) return;
  const backend = await startHttpbin({ name: "app" });
  const etcd = await etcdCluster({ members: 3, host: (place) => `127.0.2.${place + 1}` });
  const config = simpleSite(backend.port, { prefixes: ["/get"] });
  // On two of the three machines port 9000 is another program's.
  const holders = await Promise.all([2, 3].map(async (place) => await holdPort(`127.0.1.${place}`)));
  const started = [1, 2, 3].map(async (place) => {
    const taken = holders[place - 2]?.port ?? 0;
    const edge = { ports: { 80: 0, 9000: taken } };
    const machine = { name: `edge-${place}`, host: `127.0.1.${place}`, endpoints: etcd.endpoints, config, edge };
    return await Machine.start(machine);
  });
  const machines = (await Promise.all(started)) as [Machine, Machine, Machine];
  const [first, second, third] = machines;
  afterAll(async () => {
    await Promise.all(machines.map(async (machine) => await machine[Symbol.asyncDispose]()));
    await etcd[Symbol.asyncDispose]();
    await Promise.all(holders.map(async (holder) => await holder[Symbol.asyncDispose]()));
    await backend.close();
  });
  const traffic = startTraffic(machines, siteHost, "/get");
  /** Names of the routes whose push was answered. */
  const acknowledged: string[] = [];

  function route(name: string) {
    const options = { hosts: [siteHost], gateways: ["main"], destination: "app", prefixes: [`/anything/${name}`] };
    return virtualService(name, options);
  }

  /** Pushes as a considerate client does: again when it is told that the store cannot be written now. */
  async function write(machine: Machine, name: string): Promise<void> {
    await eventually(
      `the push of ${name}`,
      async () => {
        const { status, body } = await machine.api.apply(route(name), "wait=0");
        if (status === 503) return null;
        if (status !== 200) throw new Error(JSON.stringify(body));
        return acknowledged.push(name);
      },
      slowMs,
    );
  }

  /** Every worker of every machine runs one table, and every route that was answered for is in it. */
  async function expectConverged(): Promise<void> {
    await eventually(
      "one digest everywhere",
      async () => {
        const all = await Promise.all(machines.map(async (machine) => await machine.converged().catch(() => null)));
        return all[0] !== null && new Set(all).size === 1 ? true : null;
      },
      slowMs,
    );
    for (const machine of machines) {
      for (const name of acknowledged) {
        expect([name, await machine.get(siteHost, `/anything/${name}`)]).toEqual([name, 200]);
      }
    }
  }

  test("a write through any ctrl is live in every worker of every edge", async () => {
    for (const [place, machine] of machines.entries()) {
      await write(machine, `first-${place}`);
      await expectConverged();
    }
  });

  test("writes through all at once all come through, one version each", async () => {
    const before = (await first.status()).number;
    const names = Array.from({ length: 12 }, (_, index) => `together-${index}`);
    await Promise.all(names.map(async (name, index) => await write(machines[index % 3] as Machine, name)));
    await expectConverged();
    for (const machine of machines) {
      const { body } = await machine.api.ask<{ number: number | null }[]>("/v1/versions");
      const numbers = body.flatMap(({ number }) => number ?? []);
      expect(numbers).toEqual(Array.from({ length: before + names.length }, (_, i) => before + names.length - i));
    }
  });

  test("the leader of etcd is killed: writes resume through every ctrl", async () => {
    const leader = await etcd.leader();
    await leader.kill();
    await Promise.all(machines.map(async (machine, place) => await write(machine, `leaderless-${place}`)));
    await expectConverged();
    leader.start();
  });

  test("the leader of etcd is stopped without a word: writes resume, and it changes nothing when it goes on", async () => {
    const leader = await etcd.leader();
    leader.signal("SIGSTOP");
    await Promise.all(machines.map(async (machine, place) => await write(machine, `silent-${place}`)));
    leader.signal("SIGCONT");
    await expectConverged();
  });

  test("a machine cut off from etcd serves and answers reads, refuses writes with the reason, and catches up", async () => {
    third.cutFromEtcd();
    await write(first, "cut-0");
    await write(second, "cut-1");
    const refused = await third.api.apply(route("cut-2"), "wait=0");
    expect([refused.status, refused.body.failure, refused.type]).toEqual([
      503,
      "unavailable",
      "application/problem+json",
    ]);
    const { store, number } = await eventually(
      "a status that tells of it",
      async () => {
        const status = await third.status();
        return status.store.problem === null ? null : status;
      },
      slowMs,
    );
    expect(store.problem).toMatch(/^etcd cannot be used since \d{4}-.*Z: /);
    expect((await third.api.ask("/v1/resources/VirtualService/default/first-0")).status).toBe(200);
    expect((await first.status()).number).toBeGreaterThan(number);
    third.mend();
    await write(third, "cut-3");
    await expectConverged();
    expect((await third.status()).store.problem).toBeNull();
  });

  test("a ctrl killed while it writes loses nothing that it answered, and its edge goes on", async () => {
    const { pid } = await second.status();
    const writing = (async () => {
      for (let count = 0; isAlive(pid); count++) await write(second, `killed-${count}`).catch(() => {});
    })();
    await eventually("an answered push", () => (acknowledged.includes("killed-1") ? true : null));
    kill(pid);
    await writing;
    await write(first, "meanwhile");
    await expectConverged();
    expect((await second.status()).pid).not.toBe(pid);
  });

  test("what edges of two machines refuse is taken back on all three, by one version", async () => {
    const { number: before } = await first.status();
    const second9000 = documents(
      gatewayResource("second", [httpServer([siteHost], { port: 9000 })]),
      virtualService("second", { hosts: [siteHost], gateways: ["second"], destination: "app" }),
    );
    expect((await first.api.apply(second9000, "wait=0")).status).toBe(200);
    const isUndone = async (machine: Machine) => (await machine.status()).number > before + 1;
    await eventually("the undoing", async () => ((await isUndone(first)) ? true : null), slowMs);
    await expectConverged();
    for (const machine of machines) {
      const { body } = await machine.api.ask<{ number: number | null; refused: readonly number[] }[]>("/v1/versions");
      const undoing = body.filter(({ number, refused }) => number !== null && refused.includes(before + 1));
      expect(undoing.map(({ number }) => number)).toEqual([before + 2]);
      expect((await machine.status()).number).toBe(before + 2);
      expect((await machine.api.ask("/v1/resources/Gateway/default/second")).status).toBe(404);
    }
  });

  test("through all of it every request was answered", async () => {
    const { requests, failures } = await traffic.stop();
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThan(100);
  });
});
