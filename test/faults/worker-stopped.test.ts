// A worker that is stopped, or stuck, is no refusal of the table: it is replaced, and the change goes live.
import { startHttpbin } from "@sluice/httpbin";
import { expect, test } from "vitest";
import { curl } from "../support/curl.ts";
import { eventually } from "../support/eventually.ts";
import { gateway } from "../support/gateway.ts";
import { isAlive, workerPids } from "../support/processes.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

test("a worker that does not answer is replaced after 15 s, and takes no version back", async () => {
  const backend = await startHttpbin({ name: "app" });
  await using world = await gateway({ config: simpleSite(backend.port), ports: [80] });
  const [stopped = 0, other = 0] = await workerPids(world);
  process.kill(stopped, "SIGSTOP");
  const said = world.edge.stderr.next((line) => line.includes("worker ended unexpectedly (no answer within 15 s)"));
  const version = await world.reload(simpleSite(backend.port, { prefixes: ["/headers"] }));
  await said;
  expect(isAlive(stopped)).toBe(false);
  const edge = await eventually("the ack", async () => {
    const [one] = (await world.status()).edges;
    return one?.version === version ? one : null;
  });
  expect(edge).toMatchObject({ nack: null, workers: [{ version }, { version, pid: other }] });
  expect(edge.workers[0]?.pid).not.toBe(stopped);
  expect((await curl("-H", `host: ${siteHost}`, world.url(80, "/headers"))).status).toBe(200);
  await backend.close();
});
