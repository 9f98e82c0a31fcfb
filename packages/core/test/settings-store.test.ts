// Where what is pushed is kept: what sluice.yaml may say of it, and what is refused.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseSettings } from "../src/settings/index.ts";

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
