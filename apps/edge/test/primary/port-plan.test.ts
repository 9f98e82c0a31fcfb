import { createServer } from "node:net";
import { once } from "node:events";
import type { Listener } from "@sluice/core/model";
import { defaultSettings } from "@sluice/core/settings";
import { expect, test } from "vitest";
import { PortPlan } from "../../src/primary/port-plan.ts";

const edge = { ...defaultSettings().edge, bind: "127.0.0.1" };

function listener(port: number, declaredPort = port, address = "0.0.0.0"): Listener {
  const name = `${address}_${port}`;
  return {
    name,
    address,
    port,
    declaredPort,
    transport: "http",
    engine: "uws",
    engineReason: "",
    acceptsProxyProtocol: false,
    filterChains: [],
  };
}

test("edge.ports maps the declared port, then the listener's; a bind of the Gateway wins over edge.bind", async () => {
  const plan = new PortPlan({ ...edge, ports: { "443": 0, "8081": 0 } });
  const bindings = await plan.plan([listener(8443, 443), listener(8081, 80), listener(0, 0, "127.0.0.2")]);
  expect(bindings["0.0.0.0_8443"]?.address).toBe("127.0.0.1");
  expect(bindings["0.0.0.0_8443"]?.port).toBeGreaterThan(1023);
  expect(bindings["0.0.0.0_8081"]?.port).toBeGreaterThan(1023);
  expect(bindings["127.0.0.2_0"]?.address).toBe("127.0.0.2");
});

test("a listener keeps the free port it was given", async () => {
  const plan = new PortPlan({ ...edge, ports: { "80": 0 } });
  const first = await plan.plan([listener(80)]);
  plan.keep(first);
  expect(await plan.plan([listener(80)])).toEqual(first);
});

test("a port that another process holds refuses the plan with its address and the reason", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const plan = new PortPlan({ ...edge, ports: { "80": port } });
  await expect(plan.plan([listener(80)])).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: the port is in use`);
  other.close();
});

test("two listeners on one place are refused", async () => {
  const plan = new PortPlan({ ...edge, ports: { "80": 0 } });
  const first = await plan.plan([listener(80)]);
  const port = first["0.0.0.0_80"]?.port ?? 0;
  const both = new PortPlan({ ...edge, ports: { "80": port, "81": port } });
  await expect(both.plan([listener(80), listener(81)])).rejects.toThrow("would both be bound");
});
