import { beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type CompileOptions, compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import type { SecretResource } from "../../src/model/index.ts";
import { makeCertificate, type TestCertificate } from "../support/certificates.ts";
import { buildResources } from "./build-resources.ts";

let shop: TestCertificate;
let other: TestCertificate;

beforeAll(async () => {
  shop = await makeCertificate("shop.example");
  other = await makeCertificate("other.example");
});

function gatewayWith(tls: Record<string, unknown>): string {
  const port = { number: 443, name: "https", protocol: "HTTPS" };
  return document("networking.istio.io/v1", "Gateway", "web", {
    spec: { selector: { istio: "ingressgateway" }, servers: [{ port, hosts: ["*"], tls }] },
  });
}

function secret(name: string, stringData: Record<string, string>): string {
  return document("v1", "Secret", name, { stringData });
}

function document(apiVersion: string, kind: string, name: string, fields: Record<string, unknown>): string {
  const namespace = kind === "Gateway" ? "default" : "istio-system";
  return `---\n${stringify({ apiVersion, kind, metadata: { name, namespace }, ...fields })}`;
}

/** The only secret of its name in the compiled table, and the codes that were reported. */
function compileSecrets(documents: string, options: Partial<CompileOptions> = {}) {
  const { table, ...result } = compileTable(buildResources(documents), { ...defaultCompileOptions, ...options });
  const secrets = new Map(table.secrets.map((entry) => [entry.name, entry]));
  return { secrets, tls: table.listeners[0]?.filterChains[0]?.tls, ...result };
}

const simple = { mode: "SIMPLE", credentialName: "shop" };
const mutual = { mode: "MUTUAL", credentialName: "shop" };

describe("a Secret that is not there", () => {
  const hintOf = (...secrets: readonly string[]) =>
    compileSecrets(gatewayWith(simple) + secrets.join("")).diagnostics.find(({ code }) => code === "missing-secret")
      ?.hint;

  test("is looked for in other namespaces, and among names like it", () => {
    const elsewhere = document("v1", "Secret", "shop", { stringData: {} }).replace("istio-system", "default");
    expect(hintOf(elsewhere, secret("shp", {}))).toBe(
      'There is one in namespace default: move it to istio-system, or write "kubernetes://default/shop".',
    );
    expect(hintOf(secret("shp", {}), secret("other", {}))).toBe('Did you mean "shp"?');
    expect(hintOf(secret("other", {}))).toBeUndefined();
  });
});

describe("a server's certificate", () => {
  test("is ready when chain and key belong together", () => {
    const { secrets, diagnostics } = compileSecrets(
      gatewayWith(simple) + secret("shop", { "tls.crt": shop.certificate, "tls.key": shop.privateKey }),
    );
    const found = secrets.get("kubernetes://istio-system/shop");
    expect(found?.status).toBe("ready");
    expect(found?.certificateChain).toBe(shop.certificate);
    expect(found?.privateKey?.reveal()).toBe(shop.privateKey);
    expect(diagnostics).toEqual([]);
  });

  test("is read from cert and key before tls.crt and tls.key", () => {
    const data = {
      "tls.crt": other.certificate,
      "tls.key": other.privateKey,
      cert: shop.certificate,
      key: shop.privateKey,
    };
    const { secrets } = compileSecrets(gatewayWith(simple) + secret("shop", data));
    expect(secrets.get("kubernetes://istio-system/shop")?.certificateChain).toBe(shop.certificate);
  });

  test.each([
    ["its key belongs to another certificate", () => [shop.certificate, other.privateKey], /does not belong/],
    ["its key is no key", () => [shop.certificate, "nonsense"], /private key cannot be parsed/],
    [
      "a certificate of the chain is cut off",
      () => [shop.certificate + other.certificate.slice(0, 80), shop.privateKey],
      /cut off/,
    ],
    [
      "a certificate of the chain is garbled",
      () => [shop.certificate.replace(/^M/m, "N"), shop.privateKey],
      /cannot be parsed/,
    ],
    ["it is empty", () => ["", ""], /empty/],
    ["it holds no certificate", () => ["hello", shop.privateKey], /no PEM block/],
  ])("is invalid when %s", (_, pair, reason) => {
    const [certificate = "", key = ""] = pair();
    const { secrets, diagnostics } = compileSecrets(
      gatewayWith(simple) + secret("shop", { "tls.crt": certificate, "tls.key": key }),
    );
    const found = secrets.get("kubernetes://istio-system/shop");
    expect(found).toMatchObject({ status: "invalid", certificateChain: null, privateKey: null });
    expect(found?.reason).toMatch(reason);
    expect(diagnostics).toMatchObject([{ code: "invalid-certificate", path: "spec.servers[0].tls.credentialName" }]);
  });

  test("names the key's field when only the key file is missing", () => {
    const tls = { mode: "SIMPLE", serverCertificate: "/certs/a.crt", privateKey: "/certs/a.key" };
    const { secrets, diagnostics } = compileSecrets(gatewayWith(tls), {
      files: new Map([
        ["/certs/a.crt", shop.certificate],
        ["/certs/a.key", null],
      ]),
    });
    expect(secrets.get("file-cert:/certs/a.crt~/certs/a.key")?.status).toBe("missing");
    expect(diagnostics).toMatchObject([{ code: "missing-certificate-file", path: "spec.servers[0].tls.privateKey" }]);
  });

  test("never prints its key", () => {
    const { secrets, diagnostics } = compileSecrets(
      gatewayWith(simple) + secret("shop", { "tls.crt": other.certificate, "tls.key": shop.privateKey }),
    );
    const ready = compileSecrets(
      gatewayWith(simple) + secret("shop", { "tls.crt": shop.certificate, "tls.key": shop.privateKey }),
    );
    const printed = JSON.stringify([[...secrets.values()], diagnostics, [...ready.secrets.values()]]);
    expect(printed).not.toContain(shop.privateKey.split("\n")[1]);
  });
});

describe("a client CA", () => {
  const data = (ca: Record<string, string>) => ({ "tls.crt": shop.certificate, "tls.key": shop.privateKey, ...ca });

  test("is looked up in <name>-cacert before the credential's own Secret", () => {
    const { secrets, tls } = compileSecrets(
      gatewayWith(mutual) +
        secret("shop", data({ "ca.crt": other.certificate })) +
        secret("shop-cacert", { cacert: shop.certificate }),
    );
    expect(secrets.get("kubernetes://istio-system/shop-cacert")?.trustedCa).toBe(shop.certificate);
    expect(tls?.clientValidation?.trustedCa).toBe("kubernetes://istio-system/shop-cacert");
  });

  test("is found in the credential's own Secret, with its revocation list", () => {
    const { secrets, tls } = compileSecrets(
      gatewayWith(mutual) + secret("shop", data({ "ca.crt": other.certificate, "ca.crl": other.crl })),
    );
    expect(secrets.get("kubernetes://istio-system/shop-cacert")).toMatchObject({ status: "ready", crl: other.crl });
    expect(tls?.clientValidation?.crl).toBe("kubernetes://istio-system/shop-cacert");
  });

  test("is taken from caCertCredentialName when both are there", () => {
    const { tls } = compileSecrets(
      gatewayWith({ ...mutual, caCertCredentialName: "roots" }) +
        secret("shop", data({ "ca.crt": other.certificate })) +
        secret("roots", { "ca.crt": shop.certificate }),
    );
    expect(tls?.clientValidation?.trustedCa).toBe("kubernetes://istio-system/roots-cacert");
  });

  test.each([
    [
      "one block of the bundle is broken",
      "invalid",
      () => ({ "ca.crt": shop.certificate + other.certificate.slice(0, -40) }),
    ],
    ["its revocation list is broken", "invalid", () => ({ "ca.crt": shop.certificate, "ca.crl": "nonsense" })],
    ["the Secret holds none", "missing", () => ({})],
  ])("closes the chain when %s: it stays named, and is %s", (_, status, ca) => {
    const { secrets, tls } = compileSecrets(gatewayWith(mutual) + secret("shop", data(ca())));
    expect(tls?.clientValidation?.trustedCa).toBe("kubernetes://istio-system/shop-cacert");
    expect(secrets.get("kubernetes://istio-system/shop-cacert")).toMatchObject({ status, trustedCa: null });
  });

  test("is withdrawn when it is taken out of its Secret, not kept", () => {
    const before = compileSecrets(gatewayWith(mutual) + secret("shop", data({ "ca.crt": shop.certificate })));
    const after = gatewayWith(mutual) + secret("shop", data({}));
    const { secrets } = compileSecrets(after, { previousSecrets: before.secrets });
    expect(secrets.get("kubernetes://istio-system/shop-cacert")).toMatchObject({ status: "missing", trustedCa: null });
  });

  test("that is not named at all leaves a validation that trusts nobody", () => {
    const tls = { mode: "MUTUAL", serverCertificate: "/a.crt", privateKey: "/a.key", caCertificates: "/ca.crt" };
    const resources = buildResources(gatewayWith(tls));
    // Validation refuses this; were it ever to let it pass, the chain must stay closed.
    const gateways = resources.gateways.map((gateway) => ({
      ...gateway,
      spec: {
        ...gateway.spec,
        servers: gateway.spec.servers.map((server) => ({ ...server, tls: { ...server.tls, caCertificates: "" } })),
      },
    }));
    const { table } = compileTable({ ...resources, gateways }, defaultCompileOptions);
    expect(table.listeners[0]?.filterChains[0]?.tls).toMatchObject({
      mode: "MUTUAL",
      clientValidation: { trustedCa: null },
    });
  });

  test("plays no role in mode SIMPLE, whatever stands beside it", () => {
    const tls = { ...simple, subjectAltNames: ["client.example"] };
    expect(compileSecrets(gatewayWith(tls)).tls?.clientValidation).toBeNull();
  });
});

describe("a secret of the running table", () => {
  function previous(): ReadonlyMap<string, SecretResource> {
    return compileSecrets(gatewayWith(simple) + secret("shop", { cert: shop.certificate, key: shop.privateKey }))
      .secrets;
  }

  test("is kept while the new one is invalid", () => {
    const broken = gatewayWith(simple) + secret("shop", { cert: shop.certificate, key: "half" });
    const { secrets, diagnostics } = compileSecrets(broken, { previousSecrets: previous() });
    expect(secrets.get("kubernetes://istio-system/shop")).toMatchObject({
      status: "ready",
      certificateChain: shop.certificate,
    });
    expect(diagnostics[0]?.message).toContain("what it held before is still served");
  });

  test("is withdrawn when its Secret is gone", () => {
    const { secrets } = compileSecrets(gatewayWith(simple), { previousSecrets: previous() });
    expect(secrets.get("kubernetes://istio-system/shop")?.status).toBe("missing");
  });

  test.each([
    ["is kept while the time of the new one has not come", () => ({ previousSecrets: previous() }), "ready"],
    ["is not there to be kept: the chain is closed until the new one's time has come", () => ({}), "invalid"],
  ])("%s, and compiling is due again then", (_, options, status) => {
    const later = gatewayWith(simple) + secret("shop", { cert: other.certificate, key: other.privateKey });
    const startMs = other.notBefore.getTime();
    const early = compileSecrets(later, { ...options(), nowMs: startMs - 1 });
    expect(early.secrets.get("kubernetes://istio-system/shop")).toMatchObject({
      status,
      certificateChain: status === "ready" ? shop.certificate : null,
    });
    expect(early.diagnostics).toMatchObject([{ code: "certificate-not-yet-valid" }]);
    expect(early.diagnostics[0]?.message).toContain("not valid before 2026-01-01T00:00:00.000Z");
    expect(early.recompileAtMs).toBe(startMs);
    const inTime = compileSecrets(later, { ...options(), nowMs: startMs });
    expect(inTime.secrets.get("kubernetes://istio-system/shop")?.certificateChain).toBe(other.certificate);
    expect(inTime).toMatchObject({ diagnostics: [], recompileAtMs: null });
  });
});
