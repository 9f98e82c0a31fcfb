// `kill -9` of the control plane while it is being written to: what it answered is there when it is back, whole, in order.
// SLUICE_CRASHES sets how many times; the suite can afford a few.
import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { ControlApi } from "../support/control-api.ts";
import { LoneCtrl } from "../support/lone-ctrl.ts";
import { kill } from "../support/processes.ts";

const crashes = Number(process.env["SLUICE_CRASHES"] ?? 8);
const writers = 4;
/** Large enough that the log begins anew every few dozen versions, so that some crashes fall into that. */
const ballast = "x".repeat(256 * 1024);

const pathOf = (writer: number) => `/v1/resources/ConfigMap/default/writer-${writer}`;

function content(writer: number, count: number) {
  const metadata = { name: `writer-${writer}` };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { count: String(count), ballast } };
}

/** What one writer was promised, and what it had asked for when the answer failed to come. */
interface Promised {
  acknowledged: number;
  asked: number;
  /** The stored version of the last answer. */
  number: number;
}

/** Writes until nobody answers any more; tells when it was answered. */
async function writeOn(api: ControlApi, writer: number, promised: Promised, onAnswer: () => void): Promise<void> {
  for (;;) {
    promised.asked = promised.acknowledged + 1;
    const answer = await api.put(`${pathOf(writer)}?wait=0`, content(writer, promised.asked)).catch(() => null);
    if (answer === null) return;
    // A ctrl that has just begun has read no directory yet.
    if (answer.status === 503) continue;
    if (answer.status !== 200 && answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    promised.acknowledged = promised.asked;
    promised.number = answer.body.number;
    onAnswer();
  }
}

test(
  `a control plane killed ${crashes} times while it writes has lost nothing that it answered`,
  async () => {
    await using world = await LoneCtrl.create({ history: 20 });
    const { api } = world;
    const promises: Promised[] = Array.from({ length: writers }, () => ({ acknowledged: 0, asked: 0, number: 0 }));
    for (let crash = 0; crash < crashes; crash++) {
      const ctrl = await world.start();
      await checkPromises(api, promises);
      let writing: Promise<void>[] = [];
      // The first write waits for the compiler's thread; the moments of interest come after it.
      await new Promise<void>((onAnswer) => {
        writing = promises.map((promised, writer) => writeOn(api, writer, promised, onAnswer));
      });
      // Any moment will do, and no two runs choose the same ones.
      await pause(randomInt(0, 300));
      kill(ctrl.pid);
      await Promise.all([...writing, ctrl.exited]);
    }
    const ctrl = await world.start();
    const written = await checkPromises(api, promises);
    expect(await ctrl.stop()).toBe(0);
    expect(written).toBeGreaterThan(crashes);
  },
  Math.max(60_000, crashes * 5_000),
);

/** @returns how many versions there are */
async function checkPromises(api: ControlApi, promises: readonly Promised[]): Promise<number> {
  const { body: status } = await api.ask<{ number: number }>("/v1/status");
  for (const [writer, promised] of promises.entries()) {
    const { body } = await api.ask<{ data?: { count: string; ballast: string } }>(pathOf(writer));
    const count = Number(body.data?.count ?? 0);
    // The one that was under way may have come through.
    expect([promised.acknowledged, promised.asked]).toContain(count);
    if (body.data !== undefined) expect(body.data.ballast.length).toBe(ballast.length);
    expect(status.number).toBeGreaterThanOrEqual(promised.number);
    promised.acknowledged = count;
  }
  const { body: versions } = await api.ask<{ number: number | null }[]>("/v1/versions");
  const numbers = versions.flatMap(({ number }) => number ?? []);
  expect(numbers).toEqual(numbers.map((_, index) => status.number - index));
  expect(numbers.length).toBe(Math.min(status.number, 20));
  return status.number;
}
