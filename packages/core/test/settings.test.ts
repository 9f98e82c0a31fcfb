import { expect, test } from "vitest";
import { defaultSettings, parseSettings } from "../src/settings/index.ts";

test("an empty file gives every default of the contract", () => {
  const { settings, diagnostics } = parseSettings("sluice.yaml", "");
  expect(diagnostics).toEqual([]);
  expect(settings).toEqual(defaultSettings());
  expect(settings?.node).toEqual({
    id: "edge-1",
    namespace: "istio-system",
    labels: { istio: "ingressgateway" },
    locality: "",
  });
  expect(settings?.edge.alpn).toEqual(["h2", "http/1.1"]);
  expect(settings?.admin.address).toBe("127.0.0.1:15000");
  expect(settings?.ctrl.address).toBe("127.0.0.1:15010");
});

test("ports map declared to bound ports", () => {
  const { settings } = parseSettings("sluice.yaml", "edge:\n  ports: { 80: 8080, 443: 0 }\n");
  expect(settings?.edge.ports).toEqual({ "80": 8080, "443": 0 });
});

test("an unknown key is an error with its place and a near miss", () => {
  const { settings, diagnostics } = parseSettings("sluice.yaml", "edge:\n  worker: 2\n");
  expect(settings).toBeNull();
  expect(diagnostics).toMatchObject([
    { code: "unknown-setting", line: 2, path: "edge.worker", hint: expect.stringContaining('"workers"') },
  ]);
});

test("a wrong value is an error that names the field", () => {
  const { diagnostics } = parseSettings("sluice.yaml", "admin: { address: nonsense }\nedge: { workers: 0 }\n");
  expect(diagnostics.map((diagnostic) => diagnostic.path)).toEqual(["edge.workers", "admin.address"]);
});

test("broken YAML is reported with its line", () => {
  const { diagnostics } = parseSettings("sluice.yaml", "edge:\n  - a\n b: {\n");
  expect(diagnostics[0]).toMatchObject({ code: "yaml-syntax", severity: "error" });
});

test.each(["us", "us/a", "us/a/1", ""])("the locality %j is one", (locality) => {
  const { settings } = parseSettings("sluice.yaml", `node: { locality: "${locality}" }\n`);
  expect(settings?.node.locality).toBe(locality);
});

test.each(["us/", "us//1", "us/a/1/x", "us/*", "/a"])(
  "the locality %j is an error that says what one is",
  (locality) => {
    const { diagnostics } = parseSettings("sluice.yaml", `node: { locality: "${locality}" }\n`);
    expect(diagnostics).toMatchObject([{ path: "node.locality", message: expect.stringContaining("region/zone") }]);
  },
);
