import { describe, expect, it } from "vitest";
import { resolveGatewayName, resolveShortName } from "../../src/model/index.ts";

describe("resolveShortName", () => {
  it.each([
    ["cart", "cart.shop.svc.cluster.local"],
    ["cart.other", "cart.other"],
    ["cart.shop.svc.cluster.local", "cart.shop.svc.cluster.local"],
    ["*", "*"],
    ["::1", "::1"],
    ["", ""],
  ])("%j in shop is %j", (host, expected) => {
    expect(resolveShortName(host, "shop")).toBe(expected);
  });
});

describe("resolveGatewayName", () => {
  it.each([
    ["gw", "shop/gw"],
    ["./gw", "shop/gw"],
    ["edge/gw", "edge/gw"],
    ["edge/gw.v1", "edge/gw.v1"],
    ["gw.edge", "edge/gw"],
    ["gw.edge.svc.cluster.local", "edge/gw"],
    ["mesh", "mesh"],
  ])("%s in shop is %s", (gateway, expected) => {
    expect(resolveGatewayName(gateway, "shop")).toBe(expected);
  });
});
