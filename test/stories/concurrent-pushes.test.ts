// Many writers, one configuration: nothing that was answered is lost, whoever else was writing.
import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, service, virtualService } from "../support/config.ts";
import { type ApiAnswer, ControlApi, type PushBody } from "../support/control-api.ts";
import { curl } from "../support/curl.ts";
import { gateway } from "../support/gateway.ts";

const backend = await startHttpbin();
afterAll(() => backend.close());

const writers = 8;
const pushes = 1000;
const path = "/v1/resources/VirtualService/default/shop";

interface Shop {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
}

/** The route's prefix says how many pushes are in it, so every push is another table. */
function shop(counts: Readonly<Record<string, number>>) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const options = {
    hosts: ["shop.example"],
    gateways: ["web"],
    destination: "httpbin",
    prefixes: [`/anything/${total}/`],
  };
  const document = virtualService("shop", options);
  const annotations = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)]));
  return { ...document, metadata: { name: "shop", annotations } };
}

function countsOf({ metadata }: Shop): Record<string, number> {
  return Object.fromEntries(Object.entries(metadata.annotations).map(([name, count]) => [name, Number(count)]));
}

/** Adds one to its own count, `times` times, starting over whenever another writer came first. Returns the versions it made. */
async function write(api: ControlApi, name: string, times: number): Promise<number[]> {
  const made: number[] = [];
  let answer: ApiAnswer<PushBody>;
  for (let done = 0; done < times; done++) {
    for (;;) {
      const { body, etag } = await api.ask<Shop>(path);
      const counts = countsOf(body);
      const next = shop({ ...counts, [name]: (counts[name] ?? 0) + 1 });
      answer = await api.put(`${path}?wait=0`, next, { "if-match": etag ?? "" });
      if (answer.status !== 412) break;
      // As a considerate client does: those that come first are then not always the same.
      await pause(randomInt(0, 8 * writers));
    }
    if (answer.status !== 200) throw new Error(JSON.stringify(answer));
    made.push(answer.body.number);
  }
  return made;
}

test("1,000 pushes by 8 writers at once: no update is lost, versions have no gap, every worker ends on the last", async () => {
  const site = documents(gatewayResource("web", [httpServer(["shop.example"])]), ...service("httpbin", backend.port));
  await using world = await gateway({ config: { "site.yaml": site }, ctrlSettings: { history: 2 * pushes } });
  const api = new ControlApi(world.ready.ctrl);
  const names = Array.from({ length: writers }, (_, index) => `writer-${index}`);
  await api.apply(shop(Object.fromEntries(names.map((name) => [name, 0]))));
  const made = await Promise.all(names.map((name) => write(api, name, pushes / writers)));

  const { body } = await api.ask<Shop>(path);
  expect(countsOf(body)).toEqual(Object.fromEntries(names.map((name) => [name, pushes / writers])));
  expect(made.flat().toSorted((left, right) => left - right)).toEqual(Array.from({ length: pushes }, (_, i) => i + 2));
  const versions = await api.ask<{ number: number | null; version: string }[]>("/v1/versions");
  const numbers = versions.body.flatMap(({ number }) => number ?? []);
  expect(numbers).toEqual(Array.from({ length: pushes + 1 }, (_, i) => pushes + 1 - i));

  // The same again changes nothing, and waits for the edge as any push does.
  const last = await api.apply(shop(countsOf(body)), "wait=30");
  expect(last.body).toMatchObject({ changed: false, number: pushes + 1, convergence: { state: "converged" } });
  const { version, edges } = await world.status();
  expect([version, versions.body[0]?.version]).toEqual([last.body.version, last.body.version]);
  expect(edges[0]?.workers.map((worker) => worker.version)).toEqual([version, version]);
  const { status } = await curl("-H", "Host: shop.example", world.url(80, `/anything/${pushes}/x`));
  expect(status).toBe(200);
}, 120_000);
