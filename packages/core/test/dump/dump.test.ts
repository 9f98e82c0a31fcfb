import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import {
  dumpClusters,
  dumpEndpoints,
  dumpListeners,
  dumpRoutes,
  dumpSecrets,
  renderEndpointTable,
  renderSecretTable,
} from "../../src/dump/index.ts";
import { SecretText, type Table } from "../../src/model/index.ts";
import { compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import { buildResources } from "../compile/build-resources.ts";
import { makeCertificate } from "../support/certificates.ts";

const table: Table = compileTable(
  buildResources(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
    - { port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }
    - { port: { number: 443, name: https, protocol: HTTPS }, hosts: ["*"], tls: { mode: SIMPLE, credentialName: shop } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop, namespace: default }
spec:
  hosts: [shop.example]
  gateways: [web]
  http: [{ route: [{ destination: { host: shop } }] }]
---
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: default }
spec: { ports: [{ port: 8000 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: shop-1, namespace: default, labels: { kubernetes.io/service-name: shop } }
addressType: IPv6
endpoints: [{ addresses: ["fd00::1"] }]
ports: [{ port: 8000 }]
`),
  defaultCompileOptions,
).table;

describe("dumps", () => {
  test.each([
    ["listener", dumpListeners, "0.0.0.0_443", "0.0.0.0_443"],
    ["route config", dumpRoutes, "https.443.https.web.default", "https.443.https"],
    [
      "cluster",
      dumpClusters,
      "outbound|8000||shop.default.svc.cluster.local",
      "outbound|8000||shop.default.svc.cluster.local",
    ],
    [
      "endpoints",
      dumpEndpoints,
      "outbound|8000||shop.default.svc.cluster.local",
      "outbound|8000||shop.default.svc.cluster.local",
    ],
    ["secret", dumpSecrets, "kubernetes://istio-system/shop", "kubernetes://istio-system/shop"],
  ])("find a %s by the name their dialect prints", (_, dump, modern, legacy) => {
    expect(dump(table, "modern", modern)).toHaveLength(1);
    expect(dump(table, "istio-1.0", legacy)).toHaveLength(1);
    expect(dump(table, "modern", "nothing")).toEqual([]);
  });

  test("print IPv6 endpoints in brackets", () => {
    expect(renderEndpointTable(dumpEndpoints(table, "modern"))).toContain("[fd00::1]:8000     HEALTHY");
  });

  test("print the same listeners in both dialects, in the same order", () => {
    const names = (dialect: "modern" | "istio-1.0") =>
      dumpListeners(table, dialect).map((listener) => listener["name"]);
    expect(names("istio-1.0")).toEqual(names("modern"));
  });
});

describe("secrets", () => {
  async function secretTable(): Promise<{ table: Table; privateKey: string; notAfter: Date; certificate: string }> {
    const { certificate, privateKey, notAfter } = await makeCertificate("shop.example");
    const secret = {
      name: "kubernetes://istio-system/shop",
      status: "ready",
      reason: "",
      certificateChain: certificate,
      privateKey: new SecretText(privateKey),
      trustedCa: null,
      crl: null,
    } as const;
    return { table: { ...table, secrets: [secret] }, privateKey, notAfter, certificate };
  }

  test("print the certificate and never the key", async () => {
    const { table: withSecret, privateKey, certificate } = await secretTable();
    const printed = JSON.stringify(dumpSecrets(withSecret, "modern"));
    expect(printed).toContain(Buffer.from(certificate).toString("base64"));
    expect(printed).toContain("[redacted]");
    expect(printed).not.toContain(privateKey.split("\n")[1]);
    expect(printed).not.toContain(Buffer.from(privateKey).toString("base64").slice(0, 60));
  });

  test("are valid until their last second, by the clock that is given", async () => {
    const { table: withSecret, notAfter } = await secretTable();
    const dump = dumpSecrets(withSecret, "modern");
    const columns = (nowMs: number) => renderSecretTable(dump, nowMs).split("\n")[1]?.split(/ {2,}/);
    const start = ["kubernetes://istio-system/shop", "Cert Chain", "ACTIVE"];
    const end = ["0a1b", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"];
    expect(columns(notAfter.getTime())).toEqual([...start, "true", ...end]);
    expect(columns(notAfter.getTime() + 1000)).toEqual([...start, "false", ...end]);
  });
});
