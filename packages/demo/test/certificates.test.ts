import { X509Certificate, createHash, createPrivateKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createAuthority } from "../src/certificates.ts";
import { hasOpenssl, openssl } from "./openssl.ts";

const root = await createAuthority({ commonName: "root, with=punctuation" });
const rootCertificate = new X509Certificate(root.certificatePem);

describe("an authority", () => {
  test("signs itself and may sign others", () => {
    expect(rootCertificate.ca).toBe(true);
    expect(rootCertificate.checkIssued(rootCertificate)).toBe(true);
    expect(rootCertificate.verify(rootCertificate.publicKey)).toBe(true);
    expect(rootCertificate.subject).toBe("CN=root\\, with=punctuation");
    expect(rootCertificate.checkPrivateKey(createPrivateKey(root.keyPem))).toBe(true);
  });

  test("issues a leaf with its names, its key and its digests", async () => {
    const issued = await root.issue({
      commonName: "shop",
      dnsNames: ["shop.example", "*.shop.example"],
      ipAddresses: ["127.0.0.1", "2001:db8::1"],
      uris: ["spiffe://cluster.local/ns/a/sa/b"],
      emails: ["a@shop.example"],
    });
    const leaf = new X509Certificate(issued.certificatePem);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkIssued(rootCertificate)).toBe(true);
    expect(leaf.verify(rootCertificate.publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(issued.keyPem))).toBe(true);
    expect(leaf.checkHost("a.shop.example")).toBe("*.shop.example");
    expect(leaf.checkHost("shop")).toBeUndefined();
    expect(leaf.checkIP("2001:db8::1")).toBe("2001:db8::1");
    expect(leaf.checkEmail("a@shop.example")).toBe("a@shop.example");
    expect(leaf.subjectAltName).toContain("URI:spiffe://cluster.local/ns/a/sa/b");
    expect(leaf.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(issued.fingerprintSha256Hex);
    expect(leaf.serialNumber.toLowerCase()).toBe(issued.serialNumberHex);
    const spki = leaf.publicKey.export({ type: "spki", format: "der" });
    expect(createHash("sha256").update(spki).digest("base64")).toBe(issued.spkiSha256Base64);
    expect(issued.chainPem).toBe(issued.certificatePem);
  });

  test("no leaf verifies against another authority of the same name", async () => {
    const impostor = await createAuthority({ commonName: "root, with=punctuation" });
    const leaf = new X509Certificate((await impostor.issue({ commonName: "a" })).certificatePem);
    expect(leaf.verify(rootCertificate.publicKey)).toBe(false);
  });

  test("an intermediate's leaves carry it in their chain, the root not", async () => {
    const intermediate = await root.createIntermediate({ commonName: "intermediate" });
    const lower = await intermediate.createIntermediate({ commonName: "lower", algorithm: "rsa-2048" });
    const issued = await lower.issue({ commonName: "a", dnsNames: ["a.example"] });
    expect(issued.chainPem).toBe(issued.certificatePem + lower.certificatePem + intermediate.certificatePem);
    const [leaf, above] = [issued, lower].map(({ certificatePem }) => new X509Certificate(certificatePem));
    expect(leaf?.verify(above!.publicKey)).toBe(true);
    expect(above?.checkIssued(new X509Certificate(intermediate.certificatePem))).toBe(true);
    expect(new X509Certificate(intermediate.certificatePem).checkIssued(rootCertificate)).toBe(true);
  });
});

describe("options", () => {
  test.each([
    [{}, ["1.3.6.1.5.5.7.3.1"]],
    [{ client: true }, ["1.3.6.1.5.5.7.3.2"]],
    [{ client: true, server: true }, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]],
    [{ server: false }, undefined],
  ])("%j gives the extended key usage %j", async (options, usages) => {
    const { certificatePem } = await root.issue({ commonName: "a", ...options });
    expect(new X509Certificate(certificatePem).keyUsage).toEqual(usages);
  });

  test("RSA-2048 keys are made on request, signed by the authority's own kind of key", async () => {
    const issued = await root.issue({ commonName: "a", algorithm: "rsa-2048" });
    const leaf = new X509Certificate(issued.certificatePem);
    expect(leaf.publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
    expect(leaf.checkPrivateKey(createPrivateKey(issued.keyPem))).toBe(true);
    expect(leaf.verify(rootCertificate.publicKey)).toBe(true);
  });

  test("validity is what was asked, past and far future included", async () => {
    const notBefore = new Date("2020-01-01T00:00:00Z");
    const expired = await root.issue({ commonName: "a", notBefore, notAfter: new Date("2020-02-01T00:00:00Z") });
    expect(new Date(new X509Certificate(expired.certificatePem).validTo)).toEqual(new Date("2020-02-01T00:00:00Z"));
    expect(new Date(new X509Certificate(expired.certificatePem).validFrom)).toEqual(notBefore);
    const distant = await root.issue({ commonName: "a", notAfter: new Date("2060-01-01T00:00:00Z") });
    expect(new Date(new X509Certificate(distant.certificatePem).validTo).getUTCFullYear()).toBe(2060);
  });

  test("rawSan is carried byte for byte: a NUL inside a name, and what is no name at all", async () => {
    // SEQUENCE { [2] "is5.istio.local\0.evil" }
    const name = Buffer.from("is5.istio.local\0.evil", "latin1");
    const withNul = Buffer.concat([Buffer.from([0x30, name.length + 2, 0x82, name.length]), name]);
    for (const rawSan of [withNul, Buffer.from([0x30, 0x00]), Buffer.from([0x04, 0x01, 0xff])]) {
      const { certificatePem } = await root.issue({ commonName: "evil", rawSan, dnsNames: ["ignored.example"] });
      const der = new X509Certificate(certificatePem).raw;
      // OID 2.5.29.17, then the value as an OCTET STRING
      const expected = Buffer.concat([Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x11, 0x04, rawSan.length]), rawSan]);
      expect(der.includes(expected)).toBe(true);
      expect(der.includes("ignored.example")).toBe(false);
    }
  });
});

describe.skipIf(!hasOpenssl)("OpenSSL agrees", () => {
  test("a chain verifies for its purpose and for no other", async () => {
    const intermediate = await root.createIntermediate({ commonName: "intermediate" });
    const issued = await intermediate.issue({ commonName: "a", dnsNames: ["a.example"], client: true });
    const files = {
      "ca.pem": root.certificatePem,
      "middle.pem": intermediate.certificatePem,
      "leaf.pem": issued.chainPem,
    };
    const verify = (purpose: string) =>
      openssl(
        files,
        "verify",
        "-x509_strict",
        "-purpose",
        purpose,
        "-CAfile",
        "ca.pem",
        "-untrusted",
        "middle.pem",
        "leaf.pem",
      );
    expect(verify("sslclient")).toEqual({ status: 0, text: "leaf.pem: OK\n" });
    expect(verify("sslserver").text).toContain("unsuitable certificate purpose");
  });

  test("a revocation list revokes what it lists and nothing else", async () => {
    const [revoked, good] = [await root.issue({ commonName: "revoked" }), await root.issue({ commonName: "good" })];
    const files = {
      "ca.pem": root.certificatePem,
      "revoked.pem": revoked.certificatePem,
      "good.pem": good.certificatePem,
      "crl.pem": await root.crl({ revoked: [revoked] }),
      "empty.pem": await root.crl({ revoked: [] }),
      "stale.pem": await root.crl({
        revoked: [],
        nextUpdate: new Date("2020-01-01"),
        thisUpdate: new Date("2019-01-01"),
      }),
    };
    const verify = (crl: string, leaf: string) =>
      openssl(files, "verify", "-crl_check", "-CAfile", "ca.pem", "-CRLfile", crl, leaf).text;
    expect(openssl(files, "crl", "-in", "crl.pem", "-noout", "-CAfile", "ca.pem").text).toBe("verify OK\n");
    expect(verify("crl.pem", "revoked.pem")).toContain("certificate revoked");
    expect(verify("crl.pem", "good.pem")).toBe("good.pem: OK\n");
    expect(verify("empty.pem", "revoked.pem")).toBe("revoked.pem: OK\n");
    expect(verify("stale.pem", "good.pem")).toContain("CRL has expired");
    // An entry without extensions must leave the field out: an empty SEQUENCE (30 00) there breaks RFC 5280.
    expect(openssl(files, "asn1parse", "-in", "crl.pem").text).not.toMatch(/l= +0 cons: SEQUENCE/);
  });
});
