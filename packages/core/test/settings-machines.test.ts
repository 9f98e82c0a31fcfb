import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseSettings, resolveSettings } from "../src/settings/index.ts";

const tls = "tls: { certificate: tls.crt, privateKey: /k, clientCa: ca.crt }";

test.each(["ctrl", "edge"])("the example of a tier holds settings for %s that can be used", (name) => {
  const file = new URL(`../../../config/examples/tier/${name}.yaml`, import.meta.url);
  const { settings, diagnostics } = parseSettings(file.pathname, readFileSync(file, "utf8"));
  expect(diagnostics).toEqual([]);
  expect([settings?.ctrl.publish !== undefined, settings?.edge.ctrl.length]).toEqual(
    name === "ctrl" ? [true, 0] : [false, 2],
  );
});

test("paths of certificates are relative to the file", () => {
  const { settings } = parseSettings("sluice.yaml", `ctrl: { publish: { address: "0.0.0.0:1", ${tls} } }`);
  expect(resolveSettings(settings!, "/etc/sluice").ctrl.publish?.tls).toEqual({
    certificate: "/etc/sluice/tls.crt",
    privateKey: "/k",
    clientCa: "/etc/sluice/ca.crt",
    allowedIdentities: ["{id}"],
  });
});

test.each([
  ["ctrl: { publish: { address: 127.0.0.1:1 } }", "ctrl.publish.tls", "private keys cross this connection"],
  ["edge: { ctrl: ['a:1'] }", "edge.ctrlTls", "private keys cross this connection"],
  ["edge: { ctrl: [a] }", "edge.ctrl[0]", 'must be "host:port"'],
  ["edge: { ctrl: ['http://a:1'] }", "edge.ctrl[0]", 'must be "host:port"'],
  ["edge: { ctrl: ['a:0'] }", "edge.ctrl[0]", 'must be "host:port"'],
  ["edge: { ctrl: ['a:1', 'a:1'], ctrlTls: { certificate: a, privateKey: b, ca: c } }", "edge.ctrl", "names a:1 twice"],
  [
    `ctrl: { publish: { address: "0.0.0.0:1", ${tls.replace("}", ", allowedIdentities: [edge-1] }")} } }`,
    "ctrl.publish.tls.allowedIdentities[0]",
    'must hold "{id}" once',
  ],
])("%s is refused", (text, path, message) => {
  const { settings, diagnostics } = parseSettings("sluice.yaml", text);
  expect(settings).toBeNull();
  expect(diagnostics[0]).toMatchObject({ path, message: expect.stringContaining(message) });
});
