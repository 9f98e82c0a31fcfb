// A request keeps the table it began with: what it is served by may vanish from the configuration meanwhile.
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, expect, test } from "vitest";
import { destinationRule, documents, gatewayResource, httpServer, service, virtualService } from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { eventually } from "../support/eventually.ts";
import { gateway } from "../support/gateway.ts";
import { simpleSite, siteHost } from "../support/simple-site.ts";

const [stays, leaves] = await Promise.all([startHttpbin({ name: "stays" }), startHttpbin({ name: "leaves" })]);
afterAll(() => Promise.all([stays.close(), leaves.close()]));

const guestHost = "guest.example";
const guestPort = 9000;
const guest = documents(
  gatewayResource("guest", [httpServer([guestHost]), httpServer([guestHost], { port: guestPort })]),
  virtualService("guest", { hosts: [guestHost], gateways: ["guest"], destination: "guest" }),
  ...service("guest", leaves.port),
  // What its answers are held against is gone as well when they come.
  destinationRule("guest", { outlierDetection: { consecutive5xxErrors: 1 } }),
);

test.each(engineLanes)(
  "$name: a request outlives its host, its listener and its cluster",
  async ({ edge, expected }) => {
    await using world = await gateway({
      config: { ...simpleSite(stays.port), "guest.yaml": guest },
      edge,
      ports: [80, guestPort],
    });
    expect([world.engine(80), world.engine(guestPort)]).toEqual([expected, expected]);
    const ask = (port: number, path: string) => curl("-H", `host: ${guestHost}`, world.url(port, path));
    const paths = [80, guestPort].map((port) => `/delay/1?port=${port}`);
    const since = leaves.requests.length;
    const underWay = [ask(80, paths[0] ?? ""), ask(guestPort, paths[1] ?? "")];
    await eventually("both requests at the backend", () => (leaves.requests.length >= since + 2 ? true : null));

    await world.reload({ "guest.yaml": "# gone\n" });
    expect((await ask(80, "/get")).status).toBe(404);
    expect((await ask(guestPort, "/get")).code).not.toBe(0);
    for (const { status, body } of await Promise.all(underWay)) {
      expect(status).toBe(200);
      expect(JSON.parse(body)).toMatchObject({ name: "leaves" });
    }
    expect((await curl("-H", `host: ${siteHost}`, world.url(80, "/get"))).status).toBe(200);
  },
);
