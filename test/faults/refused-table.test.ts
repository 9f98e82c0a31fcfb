// A table that an edge cannot bind is refused as a whole; an edge that has no other does not start.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, virtualService } from "../support/config.ts";
import { runSluice } from "../support/command.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { holdPort } from "../support/free-port.ts";
import { gateway, writeGatewayFiles } from "../support/gateway.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const backend = await startHttpbin({ name: "app" });
afterAll(() => backend.close());

/** A second listener, and beside it something that could be served: a route for the host's new name on port 80. */
const secondListener = documents(
  gatewayResource("second", [httpServer([siteHost], { port: 9000 }), httpServer(["new.example"])]),
  virtualService("second", { hosts: [siteHost, "new.example"], gateways: ["second"], destination: "app" }),
);

test.each(engineLanes)("$name: a port held by another process refuses the table, not half of it", async ({ edge }) => {
  await using holder = await holdPort();
  const held = holder.port;
  await using world = await gateway({
    config: simpleSite(backend.port),
    edge: { ...edge, ports: { 80: 0, 9000: held } },
  });
  const statusOf = async (host: string, port = world.port(80)) =>
    (await curl("-H", `host: ${host}`, `http://127.0.0.1:${port}/get`)).status;
  const refused = world.edge.stderr.nextJson<{ msg: string }>(({ msg }) => msg === "edge refused version");
  await world.write({ "second.yaml": secondListener });
  expect(await refused).toMatchObject({ current: world.ready.version });
  const { version, edges } = await world.status();
  expect([version, edges[0]?.version]).toEqual([world.ready.version, world.ready.version]);
  expect(edges[0]?.nack?.reason).toContain(`cannot listen on 127.0.0.1:${held}: the port is in use by another process`);
  expect([await statusOf(siteHost), await statusOf("new.example")]).toEqual([200, 404]);

  // The next change that can be served is. It holds the refused file no more.
  await world.reload({ ...simpleSite(backend.port, { prefixes: ["/get"] }), "second.yaml": "# nothing\n" });
  expect(await statusOf(siteHost)).toBe(200);

  // And when the port is free, so is the refused one.
  await holder[Symbol.asyncDispose]();
  await world.reload({ "second.yaml": secondListener });
  expect([await statusOf("new.example"), await statusOf(siteHost, held)]).toEqual([200, 200]);
  expect((await world.status()).edges[0]?.nack).toBeNull();
});

test("up with a port in use exits 1 and says which one and what to do", async () => {
  await using holder = await holdPort();
  const directory = await mkdtemp(join(tmpdir(), "sluice-story-"));
  try {
    const edge = { ports: { 80: holder.port } };
    await writeGatewayFiles(directory, { config: simpleSite(backend.port), edge });
    const { code, stdout, stderr } = await runSluice(["up", "--config", "sluice.yaml"], { cwd: directory });
    expect([code, stdout]).toEqual([1, ""]);
    // Nothing was live before.
    expect(stderr).toContain("table refused; there is nothing to serve in its place");
    expect(stderr).toContain(
      `sluice edge: cannot listen on 127.0.0.1:${holder.port}: the port is in use by another process (EADDRINUSE); ` +
        "stop that one, or map the port to a free one with edge.ports",
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
