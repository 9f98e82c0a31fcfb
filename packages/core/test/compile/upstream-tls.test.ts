import { beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import { makeCertificate, type TestCertificate } from "../support/certificates.ts";
import { buildResources } from "./build-resources.ts";

let client: TestCertificate;

beforeAll(async () => {
  client = await makeCertificate("client.example");
});

const world = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop, namespace: default }
spec: { hosts: ["*"], gateways: [web], http: [{ route: [{ destination: { host: shop } }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: default }
spec: { ports: [{ name: http, port: 80 }] }
`;

function compileWith(
  tls: Record<string, unknown>,
  secret: Record<string, string> | null,
  files = new Map<string, string>(),
) {
  const rule = {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "shop", namespace: "default" },
    spec: { host: "shop", trafficPolicy: { tls } },
  };
  const object = { apiVersion: "v1", kind: "Secret", metadata: { name: "client", namespace: "istio-system" } };
  const texts = [world, stringify(rule), secret === null ? "" : stringify({ ...object, stringData: secret })];
  const { table, diagnostics } = compileTable(buildResources(...texts), { ...defaultCompileOptions, files });
  const status = Object.fromEntries(table.secrets.map((entry) => [entry.name, entry.status]));
  return { tls: table.clusters[0]?.tls, status, codes: diagnostics.map(({ code }) => code) };
}

const certificateName = "kubernetes://istio-system/client";
const caName = "kubernetes://istio-system/client-cacert";

describe("TLS to an upstream", () => {
  test("takes client certificate, CA and revocation lists from one Secret", () => {
    const secret = {
      "tls.crt": client.certificate,
      "tls.key": client.privateKey,
      "ca.crt": client.certificate,
      "ca.crl": client.crl,
    };
    expect(compileWith({ mode: "MUTUAL", credentialName: "client" }, secret)).toEqual({
      tls: {
        certificate: certificateName,
        trustedCa: caName,
        crl: caName,
        sni: "",
        subjectAltNames: [],
        acceptsUntrusted: false,
      },
      status: { [certificateName]: "ready", [caName]: "ready" },
      codes: [],
    });
  });

  test("asks a Secret for a CA only where no client certificate is presented", () => {
    const { tls, status } = compileWith({ mode: "SIMPLE", credentialName: "client" }, { "ca.crt": client.certificate });
    expect(tls).toMatchObject({ certificate: null, trustedCa: caName, crl: null });
    expect(status).toEqual({ [caName]: "ready" });
  });

  test("asks nobody whom to trust where everyone is accepted", () => {
    const secret = { "tls.crt": client.certificate, "tls.key": client.privateKey };
    const { tls, codes } = compileWith({ mode: "MUTUAL", credentialName: "client", insecureSkipVerify: true }, secret);
    expect(tls).toMatchObject({ certificate: certificateName, trustedCa: null, acceptsUntrusted: true });
    expect(codes).toEqual([]);
  });

  test.each([
    [
      { mode: "SIMPLE", credentialName: "client" },
      { status: { [caName]: "missing" }, codes: ["missing-secret"] },
    ],
    [
      { mode: "SIMPLE", caCertificates: "/ca" },
      { status: { "file-root:/ca": "missing" }, codes: ["missing-certificate-file"] },
    ],
    [
      { mode: "SIMPLE", caCertificates: "/broken" },
      { status: { "file-root:/broken": "invalid" }, codes: ["invalid-certificate"] },
    ],
  ])("keeps the name of a CA that cannot be loaded: %j", (tls, expected) => {
    const result = compileWith(tls, null, new Map([["/broken", "no certificate"]]));
    expect(result).toMatchObject(expected);
    // A null here would mean the system's CAs: any public CA could then vouch for the upstream.
    expect(result.tls?.trustedCa).not.toBeNull();
  });
});
