import { forwardTo, type Route, type VirtualHost } from "@sluice/core/model";
import { expect, test } from "vitest";
import { RuntimeRouteConfig } from "../../src/proxy/runtime-route-config.ts";

const route = (name: string): Route => ({
  name,
  virtualService: { namespace: "default", name: "shop", apiVersion: "networking.istio.io/v1" },
  rule: { http: 0, match: 0 },
  match: { path: { kind: "prefix", value: `/${name}`, ignoreCase: false }, headers: [], queryParams: [] },
  action: forwardTo([{ cluster: "outbound|80||shop.default", weight: 1 }]),
  policy: null,
  operation: name,
});

const virtualHost: VirtualHost = {
  name: "shop:80",
  domains: ["shop.example"],
  requireTls: false,
  routes: [route("a"), route("b"), route("c")],
};

test("a route is made ready by its first request, and no other with it", () => {
  const recorded: string[] = [];
  const source = { name: "80", port: 80, legacyName: "80", virtualHosts: [virtualHost] };
  const config = new RuntimeRouteConfig(source, (_, routeName) => {
    recorded.push(routeName);
    return { record: () => {} };
  });
  const host = config.runtimeOf(virtualHost);
  const ready = host.routeAt(1);
  expect(ready?.routeName).toBe("b");
  expect(config.runtimeOf(virtualHost).routeAt(1)).toBe(ready);
  expect(host.routeAt(2)?.routeName).toBe("c");
  // The first is the one of requests that no route takes.
  expect(recorded).toEqual(["", "b", "c"]);
});

test("where no route matches there is none", () => {
  const source = { name: "80", port: 80, legacyName: "80", virtualHosts: [virtualHost] };
  const host = new RuntimeRouteConfig(source, () => ({ record: () => {} })).runtimeOf(virtualHost);
  expect(host.routeAt(-1)).toBeNull();
});
