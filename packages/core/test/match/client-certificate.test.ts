import "reflect-metadata";
import { createHash, X509Certificate } from "node:crypto";

import { SubjectAlternativeNameExtension } from "@peculiar/x509";
import { beforeAll, describe, expect, it } from "vitest";

import { checkClientCertificate } from "../../src/match/index.ts";
import type { ClientValidation } from "../../src/model/index.ts";
import { derOf, issueLeaf, makeAuthority } from "./certificates.ts";
import type { Authority, LeafOptions } from "./certificates.ts";

const demands: ClientValidation = {
  trustedCa: "kubernetes://default/gw-cacert",
  trustedCaFile: null,
  crl: null,
  crlFile: null,
  subjectAltNames: [],
  spkiHashes: [],
  certificateHashes: [],
  acceptUntrusted: false,
};

let authority: Authority;
beforeAll(async () => {
  authority = await makeAuthority("root");
});

async function check(sans: LeafOptions["sans"], ...subjectAltNames: string[]): Promise<boolean> {
  const der = derOf(await issueLeaf(authority, { sans: sans ?? [] }));
  return checkClientCertificate(der, { ...demands, subjectAltNames }).ok;
}

const dns = (value: string) => ({ type: "dns", value }) as const;
const url = (value: string) => ({ type: "url", value }) as const;
const email = (value: string) => ({ type: "email", value }) as const;
const ip = (value: string) => ({ type: "ip", value }) as const;

describe("subject alternative names", () => {
  it.each([
    ["a DNS name", dns("client.example"), "client.example"],
    ["a DNS name in another case", dns("CLIENT.example"), "client.EXAMPLE"],
    ["a URI", url("spiffe://mesh/ns/a/sa/b"), "spiffe://mesh/ns/a/sa/b"],
    ["an email address", email("a@example.com"), "a@example.com"],
    ["an IPv4 address", ip("10.0.0.1"), "10.0.0.1"],
    ["an IPv6 address in another spelling", ip("2001:db8::1"), "2001:0db8:0:0:0:0:0:1"],
    ["a name below a presented wildcard", dns("*.example.com"), "a.example.com"],
  ])("accept %s", async (_, presented, configured) => expect(await check([presented], configured)).toBe(true));

  it.each([
    ["a name that contains the configured one", dns("client.example.evil"), "client.example"],
    ["a name that ends with the configured one", dns("xclient.example"), "client.example"],
    ["a name that the configured one contains", dns("client"), "client.example"],
    ["a NUL after the configured name", dns("client.example\0.evil.example"), "client.example"],
    ["a NUL, even where one is configured", dns("a\0b"), "a\0b"],
    ["a letter beyond ASCII, even where one is configured", dns("\u0456"), "\u0456"],
    ["a NUL in a URI", url("spiffe://mesh/a\0b"), "spiffe://mesh/a"],
    ["a trailing space", dns("client.example "), "client.example"],
    ["a line break", dns("client.example\n"), "client.example"],
    ["a homoglyph", dns("cl\u0456ent.example"), "client.example"],
    ["a list written into one value", dns("x, DNS:client.example"), "client.example"],
    ["a URI written into a DNS name", dns("spiffe://mesh/a"), "spiffe://mesh/a"],
    ["a DNS name written into a URI", url("client.example"), "client.example"],
    ["an address written into a DNS name", dns("10.0.0.1"), "10.0.0.1"],
    ["an email address written into a DNS name", dns("a@example.com"), "a@example.com"],
    ["a URI in another case", url("spiffe://Mesh/a"), "spiffe://mesh/a"],
    ["a URI with more path", url("spiffe://mesh/a/b"), "spiffe://mesh/a"],
    ["a wildcard for two labels", dns("*.example.com"), "a.b.example.com"],
    ["a wildcard for no label", dns("*.example.com"), "example.com"],
    ["a wildcard alone", dns("*"), "client"],
    ["a wildcard as part of a label", dns("c*.example.com"), "client.example.com"],
    ["a wildcard further right", dns("a.*.com"), "a.example.com"],
    ["two wildcards", dns("*.*.com"), "a.example.com"],
    ["a wildcard in a URI", url("spiffe://mesh/*"), "spiffe://mesh/a"],
    ["a configured wildcard, which is no pattern", dns("a.example.com"), "*.example.com"],
  ])("refuse %s", async (_, presented, configured) => expect(await check([presented], configured)).toBe(false));

  it("accept when any presented name is any configured one", async () => {
    expect(await check([dns("a"), url("spiffe://mesh/b")], "x", "spiffe://mesh/b")).toBe(true);
    expect(await check([dns("a"), url("spiffe://mesh/b")], "x", "y")).toBe(false);
  });

  it("refuse a certificate without any, whatever its subject says", async () => {
    expect(await check([], "client")).toBe(false);
  });

  it("refuse a certificate with too many to look at, even if one fits", async () => {
    const many = Array.from({ length: 1500 }, (_, index) => dns(`n${index}.example`));
    expect(await check(many, "n0.example")).toBe(false);
    expect(await check(many.slice(0, 900), "n899.example")).toBe(true);
  });

  it("refuse two extensions, of which readers pick different ones", async () => {
    const extensions = [
      new SubjectAlternativeNameExtension([dns("client.example")]),
      new SubjectAlternativeNameExtension([dns("evil.example")]),
    ];
    const der = derOf(await issueLeaf(authority, { extensions }));
    expect(checkClientCertificate(der, { ...demands, subjectAltNames: ["client.example"] }).ok).toBe(false);
  });
});

describe("pins", () => {
  it("accept a match in either list, and demand the names besides", async () => {
    const der = derOf(await issueLeaf(authority, { sans: [dns("client.example")] }));
    const certificateHashes = [createHash("sha256").update(der).digest("hex")];
    const spki = new X509Certificate(der).publicKey.export({ type: "spki", format: "der" });
    const spkiHashes = [createHash("sha256").update(spki).digest("base64")];
    const passes = (changes: Partial<ClientValidation>) => checkClientCertificate(der, { ...demands, ...changes }).ok;

    expect(passes({ certificateHashes })).toBe(true);
    expect(passes({ spkiHashes })).toBe(true);
    expect(passes({ certificateHashes, spkiHashes: ["AAAA"] })).toBe(true);
    expect(passes({ certificateHashes: ["00"], spkiHashes })).toBe(true);
    expect(passes({ certificateHashes: ["00"], spkiHashes: ["AAAA"] })).toBe(false);
    expect(passes({ certificateHashes, subjectAltNames: ["client.example"] })).toBe(true);
    expect(passes({ certificateHashes, subjectAltNames: ["other.example"] })).toBe(false);
    expect(passes({ certificateHashes: ["00"], subjectAltNames: ["client.example"] })).toBe(false);
  });
});

describe("checkClientCertificate", () => {
  it("refuses everybody when no CA vouches for anybody", async () => {
    const der = derOf(await issueLeaf(authority, { sans: [dns("a")] }));
    expect(checkClientCertificate(der, { ...demands, trustedCa: null, subjectAltNames: ["a"] }).ok).toBe(false);
  });

  it("lets everybody through where the configuration says so", async () => {
    expect(
      checkClientCertificate(Buffer.from("x"), { ...demands, acceptUntrusted: true, subjectAltNames: ["a"] }).ok,
    ).toBe(true);
  });

  it("demands nothing that is not configured", async () => {
    expect(checkClientCertificate(derOf(await issueLeaf(authority)), demands).ok).toBe(true);
  });

  it("refuses bytes that are no certificate, or absurdly many", async () => {
    const named = { ...demands, subjectAltNames: ["a"] };
    expect(checkClientCertificate(Buffer.from("garbage"), named)).toStrictEqual({
      ok: false,
      reason: "the certificate cannot be parsed",
    });
    expect(checkClientCertificate(Buffer.alloc(0), named).ok).toBe(false);
    expect(checkClientCertificate(Buffer.alloc(70_000, 0x30), demands).ok).toBe(false);
  });
});
