import type { ClientValidation, SecretResource, TlsContext } from "@sluice/core/model";
import { describe, expect, test } from "vitest";
import { toRfc2253 } from "../../src/tls/peer-certificate.ts";
import { isServerName } from "../../src/tls/server-name.ts";
import { deriveTicketKeys } from "../../src/tls/ticket-keys.ts";
import { cipherList } from "../../src/tls/tls-parameters.ts";
import { trustDigest } from "../../src/tls/trust-digest.ts";

const validation: ClientValidation = {
  trustedCa: "ca",
  trustedCaFile: null,
  crl: "crl",
  crlFile: null,
  subjectAltNames: ["a"],
  spkiHashes: [],
  certificateHashes: [],
  acceptUntrusted: false,
};

function context(fields: Partial<TlsContext> = {}, demand: Partial<ClientValidation> = {}): TlsContext {
  return {
    mode: "MUTUAL",
    certificates: [],
    clientValidation: { ...validation, ...demand },
    alpn: ["h2"],
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    cipherSuites: [],
    ecdhCurves: [],
    ...fields,
  };
}

const secrets =
  (trustedCa = "CA", crl = "CRL") =>
  (name: string): SecretResource => ({
    name,
    status: "ready",
    reason: "",
    certificateChain: null,
    privateKey: null,
    trustedCa,
    crl,
  });

describe("the trust digest", () => {
  const reference = trustDigest(context(), secrets());

  test.each<[string, string]>([
    ["the mode", trustDigest(context({ mode: "OPTIONAL_MUTUAL" }), secrets())],
    ["the accepted names", trustDigest(context({}, { subjectAltNames: ["a", "b"] }), secrets())],
    ["the pinned keys", trustDigest(context({}, { spkiHashes: ["x"] }), secrets())],
    ["the pinned certificates", trustDigest(context({}, { certificateHashes: ["x"] }), secrets())],
    ["acceptUntrusted", trustDigest(context({}, { acceptUntrusted: true }), secrets())],
    ["the contents of the CA", trustDigest(context(), secrets("other CA"))],
    ["the contents of the revocation list", trustDigest(context(), secrets("CA", "other CRL"))],
    ["a missing CA", trustDigest(context(), () => null)],
    ["no revocation list", trustDigest(context({}, { crl: null }), secrets())],
  ])("changes with %s", (_claim, digest) => {
    expect(digest).not.toBe(reference);
  });

  test("does not change with what says nothing about clients", () => {
    const other = context({ alpn: [], maxVersion: "TLSv1.2", certificates: [{ secret: "s", files: null }] });
    expect(trustDigest(other, secrets())).toBe(reference);
    expect(trustDigest(context({}, { trustedCa: "renamed" }), secrets())).toBe(reference);
  });

  test("is the same for all chains that ask for nothing", () => {
    const plain = trustDigest(context({ mode: "SIMPLE", clientValidation: null }), secrets());
    expect(trustDigest(context({ mode: "SIMPLE" }), secrets("other CA"))).toBe(plain);
  });
});

describe("ticket keys", () => {
  const secret = new Uint8Array(32).fill(1);

  test("are what Node takes, and the same wherever secret and scope are", () => {
    const keys = deriveTicketKeys(secret, ["l", "c", "t"]);
    expect(keys.ticketKeys).toHaveLength(48);
    expect(keys.sessionIdContext).toMatch(/^[\da-f]{32}$/);
    expect(deriveTicketKeys(secret, ["l", "c", "t"])).toEqual(keys);
  });

  test("differ with every part of the scope, with its boundaries and with the secret", () => {
    const others = [
      ["l", "c", "u"],
      ["l", "d", "t"],
      ["m", "c", "t"],
      ["lc", "", "t"],
    ].map((scope) => deriveTicketKeys(secret, scope));
    others.push(deriveTicketKeys(secret, ["l", "c", "t"]), deriveTicketKeys(new Uint8Array(32), ["l", "c", "t"]));
    expect(new Set(others.map((keys) => keys.ticketKeys.toString("hex"))).size).toBe(others.length);
  });
});

test.each([
  ["a.example", true],
  ["A.example.", true],
  ["_acme-1.example", true],
  ["192.0.2.1", true],
  ["", false],
  [".", false],
  ["a..b", false],
  ["a.example..", false],
  ["*.example", false],
  ["a\0.example", false],
  ["a example", false],
  ["é.example", false],
  ["::1", false],
  ["a".repeat(254), false],
])("isServerName(%j) is %s", (name, expected) => {
  expect(isServerName(name)).toBe(expected);
});

test.each([
  ["C=US\nO=a\\,b\nCN=cli", "CN=cli,O=a\\,b,C=US"],
  ["CN=a + UID=1", "UID=1+CN=a"],
  ["CN=é", "CN=\\C3\\A9"],
  ["CN=a\\0Ab", "CN=a\\0Ab"],
  [undefined, ""],
])("the subject %j is %j in RFC 2253", (subject, expected) => {
  expect(toRfc2253(subject)).toBe(expected);
});

test("a list of old ciphers keeps the suites of TLS 1.3, a list of suites stays as it is", () => {
  expect(cipherList(context({ cipherSuites: ["A"] }))).toMatch(/^TLS_.*:A$/);
  expect(cipherList(context({ cipherSuites: ["A"], maxVersion: "TLSv1.2" }))).toBe("A");
  expect(cipherList(context({ cipherSuites: ["TLS_AES_128_GCM_SHA256"] }))).toBe("TLS_AES_128_GCM_SHA256");
});
