import type { ClientValidation, FilterChain, SecretResource, TlsContext } from "@sluice/core/model";
import { SecretText } from "@sluice/core/model";
import { createAuthority } from "@sluice/demo/certificates";
import { describe, expect, test } from "vitest";
import { buildChainOptions, chainDigest } from "../../src/tls/chain-options.ts";
import type { ChainSource } from "../../src/tls/chain-options.ts";

const server: SecretResource = {
  name: "server",
  status: "ready",
  reason: "",
  certificateChain: "CERTIFICATE",
  privateKey: new SecretText("KEY"),
  trustedCa: null,
  crl: null,
};

const nobody: ClientValidation = {
  trustedCa: null,
  trustedCaFile: null,
  crl: null,
  crlFile: null,
  subjectAltNames: ["a"],
  spkiHashes: [],
  certificateHashes: [],
  acceptUntrusted: false,
};

function source(tls: Partial<TlsContext> = {}, secrets: readonly SecretResource[] = [server]): ChainSource {
  const context: TlsContext = {
    mode: "SIMPLE",
    certificates: [{ secret: "server", files: null }],
    clientValidation: null,
    alpn: ["h2", "http/1.1"],
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    cipherSuites: [],
    ecdhCurves: [],
    ...tls,
  };
  const chain: FilterChain = {
    name: "chain",
    serverNames: [],
    tls: context,
    routeConfig: "r",
    forward: null,
    statPrefix: null,
    gateway: { namespace: "n", name: "g" },
  };
  return {
    listener: "l",
    chain: { ...chain, tls: context },
    secret: (name) => secrets.find((candidate) => candidate.name === name) ?? null,
    ticketSecret: new Uint8Array(32),
  };
}

describe("the CAs of the system are never trusted", () => {
  test.each<[string, Partial<TlsContext>]>([
    ["without validation", {}],
    ["with names and no CA", { mode: "MUTUAL", clientValidation: nobody }],
    ["with names and no CA, optionally", { mode: "OPTIONAL_MUTUAL", clientValidation: nobody }],
  ])("%s: `ca` is given and empty", (_claim, tls) => {
    expect(buildChainOptions(source(tls)).ca).toEqual([]);
  });

  test("with a CA: `ca` is that CA and no other", async () => {
    const { certificatePem } = await createAuthority({ commonName: "ca" });
    const ca: SecretResource = { ...server, name: "ca", trustedCa: certificatePem };
    const tls = { mode: "MUTUAL", clientValidation: { ...nobody, trustedCa: "ca" } } as const;
    const options = buildChainOptions(source(tls, [server, ca]));
    expect(options.ca).toEqual([certificatePem.trim()]);
    expect(options).toMatchObject({ requestCert: true, rejectUnauthorized: true });
  });
});

describe("a chain is built anew", () => {
  const before = chainDigest(source());

  test.each<[string, ChainSource]>([
    ["its certificate changed", source({}, [{ ...server, certificateChain: "OTHER" }])],
    ["its key changed", source({}, [{ ...server, privateKey: new SecretText("OTHER") }])],
    ["its secret is gone", source({}, [])],
    ["its secret is not ready any more", source({}, [{ ...server, status: "invalid" }])],
    ["its versions changed", source({ minVersion: "TLSv1.3" })],
    ["its protocols changed", source({ alpn: ["h2"] })],
    ["its mode changed", source({ mode: "MUTUAL" })],
  ])("when %s", (_claim, after) => {
    expect(chainDigest(after)).not.toBe(before);
  });

  test("and only then", () => {
    expect(chainDigest(source({}, [{ ...server }]))).toBe(before);
  });
});
