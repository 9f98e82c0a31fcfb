import type { ConnectionOptions } from "node:tls";
import { createAuthority } from "@sluice/demo/certificates";
import type { Authority, Issued } from "@sluice/demo/certificates";
import type { ClientValidation, SecretResource, TlsContext } from "@sluice/core/model";
import { beforeAll, describe, expect, test } from "vitest";
import { attemptTls, secret, serverSecret, startListener, tlsChain, validation } from "./support.ts";
import type { TestListener } from "./support.ts";

let authority: Authority;
let otherAuthority: Authority;
let alice: Issued;
let server: SecretResource;
let ca: SecretResource;

const yesterday = new Date(Date.now() - 86_400_000);
const lastWeek = new Date(Date.now() - 7 * 86_400_000);

beforeAll(async () => {
  authority = await createAuthority({ commonName: "client root" });
  otherAuthority = await createAuthority({ commonName: "client root" });
  alice = await authority.issue({
    commonName: "alice",
    dnsNames: ["alice.example"],
    uris: ["spiffe://a/alice"],
    client: true,
  });
  server = serverSecret("server", await otherAuthority.issue({ commonName: "server", dnsNames: ["mtls.example"] }));
  ca = secret("ca", { trustedCa: authority.certificatePem });
});

/** `open.example` asks for nothing, `mtls.example` for a certificate. */
function start(demand: Partial<ClientValidation> = {}, tls: Partial<TlsContext> = {}): Promise<TestListener> {
  return startListener({ chains: chains(demand, tls), secrets: [server, ca] });
}

function chains(demand: Partial<ClientValidation> = {}, tls: Partial<TlsContext> = {}) {
  return [
    tlsChain("open.example"),
    tlsChain("mtls.example", { mode: "MUTUAL", clientValidation: validation(demand), ...tls }),
  ];
}

const identity = ({ chainPem, keyPem }: Issued): ConnectionOptions => ({ cert: chainPem, key: keyPem });

/** A dNSName with any bytes: SEQUENCE { [tag] bytes }. */
const rawSan = (tag: number, bytes: string): Uint8Array =>
  Buffer.concat([Buffer.from([0x30, bytes.length + 2, tag, bytes.length]), Buffer.from(bytes, "latin1")]);

const [dnsTag, emailTag] = [0x82, 0x81];

describe.each(["TLSv1.2", "TLSv1.3"] as const)("over %s", (version) => {
  const client = (options: ConnectionOptions = {}): ConnectionOptions => ({
    servername: "mtls.example",
    minVersion: version,
    maxVersion: version,
    ...options,
  });

  async function expectRefused(listener: TestListener, options: ConnectionOptions, reason: string): Promise<void> {
    const { received } = await attemptTls(listener.port, client(options));
    expect(received).toBe("");
    expect(listener.handler.exchanges).toEqual([]);
    expect(listener.handshakeFailures).toEqual([{ filterChain: "https.mtls.example", reason }]);
  }

  test("a client with a certificate of the CA is served and its identity is known", async () => {
    await using listener = await start({ subjectAltNames: ["spiffe://a/alice"] });
    const { received } = await attemptTls(listener.port, client(identity(alice)));
    expect(received).toContain("hello");
    expect(listener.handler.exchanges[0]?.downstream).toMatchObject({
      filterChain: "https.mtls.example",
      sni: "mtls.example",
      peerCertificate: {
        fingerprint: alice.fingerprintSha256Hex,
        subject: "CN=alice",
        pem: alice.certificatePem,
        dnsNames: ["alice.example"],
        uris: ["spiffe://a/alice"],
      },
    });
  });

  test("a client without certificate is refused", async () => {
    await using listener = await start();
    await expectRefused(listener, {}, "client_certificate_missing");
  });

  test("a certificate of another CA with the same name is refused", async () => {
    await using listener = await start();
    const stranger = await otherAuthority.issue({ commonName: "alice", dnsNames: ["alice.example"], client: true });
    const { received } = await attemptTls(listener.port, client(identity(stranger)));
    expect(received).toBe("");
    expect(listener.handler.exchanges).toEqual([]);
    expect(listener.handshakeFailures).toHaveLength(1);
  });

  test("an expired certificate is refused", async () => {
    await using listener = await start();
    const expired = await authority.issue({
      commonName: "alice",
      client: true,
      notBefore: lastWeek,
      notAfter: yesterday,
    });
    await expectRefused(listener, identity(expired), "cert_has_expired");
  });

  test("a server's certificate of the right CA is no client certificate", async () => {
    await using listener = await start();
    const serverOnly = await authority.issue({ commonName: "server", client: false, server: true });
    await expectRefused(listener, identity(serverOnly), "invalid_purpose");
  });

  test.each<[string, Parameters<Authority["issue"]>[0]]>([
    ["a name that is not listed", { commonName: "alice.example", dnsNames: ["bob.example"], client: true }],
    ["a listed name only as common name", { commonName: "alice.example", client: true }],
    [
      "a longer name that contains a listed one",
      { commonName: "x", dnsNames: ["alice.example.evil.example"], client: true },
    ],
    ["a shorter name", { commonName: "x", dnsNames: ["lice.example"], client: true }],
    [
      "a listed name in another type of SAN",
      { commonName: "x", rawSan: rawSan(emailTag, "alice.example"), client: true },
    ],
    ["a listed name in a URI", { commonName: "x", uris: ["dns:alice.example"], client: true }],
    [
      "a NUL after a listed name",
      { commonName: "x", rawSan: rawSan(dnsTag, "alice.example\0.evil.example"), client: true },
    ],
    [
      "commas that forge a list",
      { commonName: "x", rawSan: rawSan(dnsTag, "evil.example, DNS:alice.example"), client: true },
    ],
  ])("%s is refused", async (_claim, options) => {
    await using listener = await start({ subjectAltNames: ["alice.example"] });
    await expectRefused(listener, identity(await authority.issue(options)), "identity_not_accepted");
  });

  test("a revoked certificate is refused and its neighbour is served, with the list as second in the text", async () => {
    const bob = await authority.issue({ commonName: "bob", client: true });
    const lists = (await otherAuthority.crl({ revoked: [] })) + (await authority.crl({ revoked: [bob] }));
    await using listener = await startListener({
      chains: chains({ crl: "crl" }),
      secrets: [server, ca, secret("crl", { crl: lists })],
    });
    await expectRefused(listener, identity(bob), "cert_revoked");
    expect((await attemptTls(listener.port, client(identity(alice)))).received).toContain("hello");
  });

  test("a revocation list that has expired refuses everyone", async () => {
    const expired = await authority.crl({ revoked: [], thisUpdate: lastWeek, nextUpdate: yesterday });
    await using listener = await startListener({
      chains: chains({ crl: "crl" }),
      secrets: [server, ca, secret("crl", { crl: expired })],
    });
    await expectRefused(listener, identity(alice), "crl_has_expired");
  });

  test("a pinned key or certificate is served, another one is refused", async () => {
    const bob = await authority.issue({ commonName: "bob", client: true });
    for (const pins of [
      { spkiHashes: [alice.spkiSha256Base64] },
      { certificateHashes: [alice.fingerprintSha256Hex] },
    ]) {
      await using listener = await start(pins);
      expect((await attemptTls(listener.port, client(identity(alice)))).received).toContain("hello");
      listener.handler.exchanges.length = 0;
      await expectRefused(listener, identity(bob), "identity_not_accepted");
    }
  });

  test("without a CA every client is refused", async () => {
    await using listener = await start({ trustedCa: null, subjectAltNames: ["alice.example"] });
    const { received } = await attemptTls(listener.port, client(identity(alice)));
    expect(received).toBe("");
    expect(listener.handler.exchanges).toEqual([]);
  });

  test("an intermediate is taken from the client or from the CA bundle, which must hold the root", async () => {
    const intermediate = await authority.createIntermediate({ commonName: "team" });
    const member = await intermediate.issue({ commonName: "member", client: true });
    const bundle = (trustedCa: string) => ({ chains: chains(), secrets: [server, secret("ca", { trustedCa })] });
    await using listener = await startListener(bundle(authority.certificatePem));
    expect((await attemptTls(listener.port, client(identity(member)))).received).toContain("hello");
    const alone = { ...identity(member), cert: member.certificatePem };
    expect((await attemptTls(listener.port, client(alone))).received).toBe("");
    listener.update(bundle(intermediate.certificatePem + authority.certificatePem));
    expect((await attemptTls(listener.port, client(alone))).received).toContain("hello");
    listener.update(bundle(intermediate.certificatePem));
    expect((await attemptTls(listener.port, client(identity(member)))).received).toBe("");
  });

  test("a session of the open chain does not resume on the chain that demands a certificate", async () => {
    await using listener = await start();
    const open = await attemptTls(listener.port, client({ servername: "open.example" }));
    expect(open.received).toContain("hello");
    expect(open.session).not.toBeNull();
    listener.handler.exchanges.length = 0;
    await expectRefused(listener, { session: open.session ?? undefined }, "client_certificate_missing");
  });

  test("a session of the same chain resumes, on another worker as well, with the identity it was made with", async () => {
    await using listener = await start({ subjectAltNames: ["alice.example"] });
    await using elsewhere = await start({ subjectAltNames: ["alice.example"] });
    const first = await attemptTls(listener.port, client(identity(alice)));
    for (const { port, handler } of [listener, elsewhere]) {
      const again = await attemptTls(port, client({ ...identity(alice), session: first.session ?? undefined }));
      expect(again).toMatchObject({ isResumed: true, received: expect.stringContaining("hello") });
      expect(handler.exchanges.at(-1)?.downstream).toMatchObject({
        sni: "mtls.example",
        peerCertificate: { fingerprint: alice.fingerprintSha256Hex },
      });
    }
  });

  test("a session does not resume where other machines have another ticket secret", async () => {
    await using listener = await start();
    await using foreign = await startListener({
      chains: chains(),
      secrets: [server, ca],
      ticketSecret: new Uint8Array(32).fill(8),
    });
    const first = await attemptTls(listener.port, client(identity(alice)));
    const again = await attemptTls(foreign.port, client({ ...identity(alice), session: first.session ?? undefined }));
    expect(again).toMatchObject({ isResumed: false, received: expect.stringContaining("hello") });
  });

  test("when the demand changes, sessions made under the old one do not resume", async () => {
    await using listener = await start();
    const first = await attemptTls(listener.port, client(identity(alice)));
    const before = listener.handler.exchanges.at(-1)?.downstream.trust;
    listener.update({ chains: chains({ subjectAltNames: ["bob.example"] }), secrets: [server, ca] });
    listener.handler.exchanges.length = 0;
    const options = { ...identity(alice), session: first.session ?? undefined };
    await expectRefused(listener, options, "identity_not_accepted");
    listener.update({ chains: chains({ subjectAltNames: ["alice.example"] }), secrets: [server, ca] });
    const again = await attemptTls(listener.port, client(options));
    expect(again).toMatchObject({ isResumed: false, received: expect.stringContaining("hello") });
    expect(listener.handler.exchanges.at(-1)?.downstream.trust).not.toBe(before);
  });

  test.each(["MUTUAL", "OPTIONAL_MUTUAL"] as const)(
    "with %s a refused client cannot resume the session it was refused in",
    async (mode) => {
      await using listener = await start({ subjectAltNames: ["bob.example"] }, { mode });
      const stranger = await otherAuthority.issue({ commonName: "x", dnsNames: ["bob.example"], client: true });
      for (const bad of [alice, stranger]) {
        const first = await attemptTls(listener.port, client(identity(bad)));
        const again = await attemptTls(
          listener.port,
          client({ ...identity(bad), session: first.session ?? undefined }),
        );
        expect([first.received, again.received]).toEqual(["", ""]);
      }
      expect(listener.handler.exchanges).toEqual([]);
      expect(listener.handshakeFailures).toHaveLength(4);
    },
  );

  test("OPTIONAL_MUTUAL serves a client without certificate, and one that resumes", async () => {
    await using listener = await start({}, { mode: "OPTIONAL_MUTUAL" });
    const first = await attemptTls(listener.port, client());
    const again = await attemptTls(listener.port, client({ session: first.session ?? undefined }));
    expect(again).toMatchObject({ isResumed: true, received: expect.stringContaining("hello") });
    expect(listener.handler.exchanges.map(({ downstream }) => downstream.peerCertificate)).toEqual([null, null]);
  });

  test("OPTIONAL_MUTUAL refuses a bad certificate and knows a good one", async () => {
    await using listener = await start({ subjectAltNames: ["alice.example"] }, { mode: "OPTIONAL_MUTUAL" });
    const expired = await authority.issue({ commonName: "x", client: true, notBefore: lastWeek, notAfter: yesterday });
    await expectRefused(listener, identity(expired), "cert_has_expired");
    await attemptTls(listener.port, client(identity(alice)));
    expect(listener.handler.exchanges[0]?.downstream.peerCertificate?.fingerprint).toBe(alice.fingerprintSha256Hex);
  });

  test("acceptUntrusted lets bad certificates through, but MUTUAL still wants one", async () => {
    await using listener = await start({ acceptUntrusted: true, subjectAltNames: ["bob.example"] });
    const stranger = await otherAuthority.issue({ commonName: "stranger", client: true });
    expect((await attemptTls(listener.port, client(identity(stranger)))).received).toContain("hello");
    expect(listener.handler.exchanges[0]?.downstream.peerCertificate?.subject).toBe("CN=stranger");
    listener.handler.exchanges.length = 0;
    await expectRefused(listener, {}, "client_certificate_missing");
  });

  test("a session of a client without certificate does not resume under acceptUntrusted either", async () => {
    await using listener = await start({ acceptUntrusted: true });
    const first = await attemptTls(listener.port, client());
    await attemptTls(listener.port, client({ session: first.session ?? undefined }));
    expect(listener.handler.exchanges).toEqual([]);
  });
});

describe.each([
  ["the CA secret is absent", {}, [], "client_ca_missing"],
  ["the CA secret is not ready", {}, [secret("ca", { status: "missing" })], "client_ca_missing"],
  ["the CA bundle holds no certificate", {}, [secret("ca", { trustedCa: "nothing" })], "client_ca_invalid"],
  ["the CA bundle is damaged", {}, [secret("ca", { trustedCa: damagedPem() })], "client_ca_invalid"],
  ["the revocation list is absent", { crl: "crl" }, "with ca", "client_crl_missing"],
  ["the revocation list is damaged", { crl: "damaged" }, "with ca", "client_crl_invalid"],
] as const)("when %s", (_claim, demand, given, reason) => {
  test("the chain refuses everyone while another chain serves", async () => {
    const secrets = given === "with ca" ? [ca, secret("damaged", { crl: "nothing" })] : given;
    await using listener = await startListener({ chains: chains(demand), secrets: [server, ...secrets] });
    const refused = await attemptTls(listener.port, { servername: "mtls.example", ...identity(alice) });
    expect(refused.received).toBe("");
    expect(listener.handshakeFailures).toEqual([{ filterChain: "https.mtls.example", reason }]);
    expect((await attemptTls(listener.port, { servername: "open.example" })).received).toContain("hello");
  });
});

test("a chain that demands certificates without saying which serves nobody", async () => {
  await using listener = await start({}, { clientValidation: null });
  const { received } = await attemptTls(listener.port, { servername: "mtls.example", ...identity(alice) });
  expect(received).toBe("");
  expect(listener.handshakeFailures[0]?.reason).toBe("client_validation_missing");
});

function damagedPem(): string {
  return "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
}
