// explain on chains that ask for a client certificate.
import { beforeAll, describe, expect, it } from "vitest";
import { derOf, issueAuthority, issueLeaf, makeAuthority, revocationList } from "../match/certificates.ts";
import type { Authority } from "../match/certificates.ts";
import { explain } from "../../src/explain/index.ts";
import type { Explanation } from "../../src/explain/index.ts";
import type { ClientValidation, SecretResource } from "../../src/model/index.ts";
import { chain, question, secret, tlsTable } from "./tables.ts";

const demands: ClientValidation = {
  trustedCa: "kubernetes://default/ca",
  trustedCaFile: null,
  crl: null,
  crlFile: null,
  subjectAltNames: [],
  spkiHashes: [],
  certificateHashes: [],
  acceptUntrusted: false,
};

let root: Authority;
let stranger: Authority;
beforeAll(async () => {
  [root, stranger] = await Promise.all([makeAuthority("root"), makeAuthority("root")]);
});

interface Case {
  readonly certificate: string | null;
  readonly mode?: "MUTUAL" | "OPTIONAL_MUTUAL";
  readonly validation?: Partial<ClientValidation> | null;
  readonly secrets?: readonly SecretResource[];
  readonly nowMs?: number;
}

function ask({ certificate, mode = "MUTUAL", validation = {}, secrets, nowMs }: Case): Explanation {
  const clientValidation = validation === null ? null : { ...demands, ...validation };
  const bundle = secret("kubernetes://default/ca", { trustedCa: root.certificate.toString("pem") });
  const table = tlsTable([chain("mutual", [], { mode, clientValidation })], secrets ?? [bundle]);
  return explain(table, question({ port: 443, scheme: "https", clientCertificate: certificate, nowMs }));
}

function refusal(answer: Explanation): string {
  expect(answer).toMatchObject({
    action: "reject",
    error: "client-certificate-required",
    status: null,
    routeConfig: null,
    cluster: null,
  });
  return answer.steps.findLast((step) => step.stage === "client-certificate")?.reason ?? "";
}

const pem = async (issuer: Authority, options = {}) => (await issueLeaf(issuer, options)).toString("pem");

describe("a chain that demands client certificates", () => {
  it("refuses a client without one", () => {
    expect(refusal(ask({ certificate: null }))).toBe("mode MUTUAL demands one");
  });

  it("does without where it is optional, but checks one that is presented", async () => {
    expect(ask({ certificate: null, mode: "OPTIONAL_MUTUAL" }).action).toBe("forward");
    expect(refusal(ask({ certificate: await pem(stranger), mode: "OPTIONAL_MUTUAL" }))).toMatch(
      /signed by no CA of the bundle/,
    );
  });

  it("accepts one that its CA signed", async () => {
    expect(ask({ certificate: await pem(root) }).action).toBe("forward");
  });

  it("refuses one of a CA that only shares the name", async () => {
    expect(refusal(ask({ certificate: await pem(stranger) }))).toMatch(/CN=client is signed by no CA of the bundle/);
  });

  it("follows intermediates that the client sends, and needs them", async () => {
    const intermediate = await issueAuthority(root, "intermediate");
    const leaf = await pem(intermediate);
    expect(refusal(ask({ certificate: leaf }))).toMatch(/signed by no CA/);
    expect(ask({ certificate: `${leaf}\n${intermediate.certificate.toString("pem")}` }).action).toBe("forward");
  });

  it("does not take a client's certificate for a CA", async () => {
    const ordinary = await issueAuthority(root, "ordinary", { isAuthority: false });
    const forged = await pem(ordinary);
    expect(ask({ certificate: ordinary.certificate.toString("pem") }).action).toBe("forward");
    expect(refusal(ask({ certificate: `${forged}\n${ordinary.certificate.toString("pem")}` }))).toMatch(
      /signed by no CA/,
    );
  });

  it("wants the chain to end at a root: an intermediate alone is no anchor, as in OpenSSL", async () => {
    const intermediate = await issueAuthority(root, "intermediate");
    const bundle = secret("kubernetes://default/ca", { trustedCa: intermediate.certificate.toString("pem") });
    expect(refusal(ask({ certificate: await pem(intermediate), secrets: [bundle] }))).toMatch(
      /CN=intermediate is signed by no CA/,
    );
  });

  it("checks names and says so", async () => {
    const certificate = await pem(root, { sans: [{ type: "url", value: "spiffe://mesh/a" }] });
    expect(ask({ certificate, validation: { subjectAltNames: ["spiffe://mesh/a"] } }).action).toBe("forward");
    expect(refusal(ask({ certificate, validation: { subjectAltNames: ["spiffe://mesh/b"] } }))).toMatch(
      /no subject alternative name/,
    );
  });

  it("checks validity at the moment asked about, and not without one", async () => {
    const certificate = await pem(root, { notAfter: new Date("2021-01-01") });
    expect(ask({ certificate }).action).toBe("forward");
    expect(ask({ certificate, nowMs: Date.parse("2020-06-01") }).action).toBe("forward");
    expect(refusal(ask({ certificate, nowMs: Date.parse("2022-01-01") }))).toMatch(/not valid at this time/);
  });

  it("refuses the revoked, also those with a serial number whose first bit is set", async () => {
    const bundle = secret("kubernetes://default/ca", {
      trustedCa: root.certificate.toString("pem"),
      crl: await revocationList(root, ["11", "00ff01"]),
    });
    const validation = { crl: "kubernetes://default/ca" };
    const answer = async (serialNumber: string) =>
      ask({ certificate: await pem(root, { serialNumber }), validation, secrets: [bundle] });
    expect((await answer("12")).action).toBe("forward");
    expect(refusal(await answer("11"))).toBe("the certificate is revoked");
    expect(refusal(await answer("ff01"))).toBe("the certificate is revoked");
  });

  it("fails closed: no validation, no CA, a CA or a revocation list that is missing or broken", async () => {
    const certificate = await pem(root);
    const ca = "kubernetes://default/ca";
    const bundle = secret(ca, { trustedCa: root.certificate.toString("pem") });
    expect(refusal(ask({ certificate, validation: null }))).toMatch(/nothing to check/);
    expect(refusal(ask({ certificate, validation: { trustedCa: null } }))).toMatch(/no CA is configured/);
    expect(refusal(ask({ certificate, secrets: [] }))).toMatch(/is missing/);
    expect(refusal(ask({ certificate, secrets: [secret(ca, { status: "invalid" })] }))).toMatch(/is invalid/);
    expect(refusal(ask({ certificate, secrets: [secret(ca, { trustedCa: "garbage" })] }))).toMatch(/not readable/);
    expect(refusal(ask({ certificate, validation: { crl: "gone" }, secrets: [bundle] }))).toMatch(/gone is not there/);
    expect(refusal(ask({ certificate, validation: { crl: ca }, secrets: [{ ...bundle, crl: "garbage" }] }))).toMatch(
      /no revocation list/,
    );
    const endless = await revocationList(root, ["02"], { hasNextUpdate: false });
    expect(refusal(ask({ certificate, validation: { crl: ca }, secrets: [{ ...bundle, crl: endless }] }))).toMatch(
      /no date of its next update/,
    );
    const foreign = await revocationList(await makeAuthority("other"), []);
    expect(refusal(ask({ certificate, validation: { crl: ca }, secrets: [{ ...bundle, crl: foreign }] }))).toMatch(
      /no revocation list/,
    );
  });

  it("refuses a file without certificate", () => {
    expect(refusal(ask({ certificate: "hello" }))).toBe("the file holds no readable PEM certificate");
    const truncated = Buffer.from(derOf(root.certificate)).subarray(0, 50).toString("base64");
    expect(
      refusal(ask({ certificate: `-----BEGIN CERTIFICATE-----\n${truncated}\n-----END CERTIFICATE-----` })),
    ).toMatch(/no readable/);
  });

  it("lets the untrusted through only where the configuration says so", async () => {
    expect(ask({ certificate: await pem(stranger), validation: { acceptUntrusted: true } }).action).toBe("forward");
    expect(refusal(ask({ certificate: null, validation: { acceptUntrusted: true } }))).toMatch(/demands one/);
  });
});
