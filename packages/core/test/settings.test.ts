import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { defaultSettings, parseSettings } from "../src/settings/index.ts";

test("an empty file gives every default of the contract", () => {
  const { settings, diagnostics } = parseSettings("sluice.yaml", "");
  expect(diagnostics).toEqual([]);
  expect(settings).toEqual(defaultSettings());
  expect(settings?.node).toEqual({ id: "edge-1", namespace: "istio-system", labels: { istio: "ingressgateway" } });
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

const etcdOf = (keys: string) => parseSettings("sluice.yaml", `ctrl: { store: { kind: etcd, etcd: { ${keys} } } }`);

test("a store in etcd needs its endpoints, and endpoints need kind etcd", () => {
  expect(etcdOf('endpoints: ["https://etcd-1.example:2379"]').settings?.ctrl.store).toEqual({
    kind: "etcd",
    etcd: { endpoints: ["https://etcd-1.example:2379"], prefix: "/sluice", tls: {}, timeoutSeconds: 10 },
  });
  for (const store of ["kind: etcd", 'etcd: { endpoints: ["https://a:1"] }']) {
    const { diagnostics } = parseSettings("sluice.yaml", `ctrl: { store: { ${store} } }`);
    expect(diagnostics).toMatchObject([
      { path: "ctrl.store", message: "`kind: etcd` and `etcd.endpoints` come together" },
    ]);
  }
});

test("etcd is reached in clear on loopback addresses only", () => {
  for (const url of ["http://127.0.0.1:2379", "http://127.0.3.4:2379", "http://[::1]:2379", "http://localhost:2379"]) {
    expect(etcdOf(`endpoints: ["${url}"]`).diagnostics).toEqual([]);
  }
  for (const url of [
    "http://10.0.0.1:2379",
    "http://localhost.example:2379",
    "ftp://127.0.0.1",
    "etcd-1:2379",
    "https://user:secret@etcd-1:2379",
    "https://etcd-1:2379/v3",
  ]) {
    const { diagnostics } = etcdOf(`endpoints: ["https://etcd-1:2379", "${url}"]`);
    expect(diagnostics).toMatchObject([
      { path: "ctrl.store.etcd.endpoints[1]", message: expect.stringContaining("only for a loopback address") },
    ]);
  }
});

test("halves of credentials for etcd, and prefixes that would run together, are refused", () => {
  const endpoints = 'endpoints: ["https://etcd-1:2379"]';
  for (const keys of [
    "username: sluice",
    "passwordFile: p",
    "tls: { certificate: c }",
    "tls: { privateKey: k }",
    "prefix: /a/",
    "prefix: a",
    "timeoutSeconds: 0",
  ]) {
    expect([keys, etcdOf(`${endpoints}, ${keys}`).diagnostics.length]).toEqual([keys, 1]);
  }
});

test("the example of several control planes is what it says", () => {
  const file = new URL("../../../config/examples/several-ctrls/sluice.yaml", import.meta.url);
  const { settings, diagnostics } = parseSettings("sluice.yaml", readFileSync(file, "utf8"));
  expect(diagnostics).toEqual([]);
  expect(settings?.ctrl.store.kind).toBe("etcd");
  expect(settings?.config.directory).toBe("off");
});
