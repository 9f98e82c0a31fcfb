import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { constants } from "node:crypto";
import { connect as connectTls } from "node:tls";
import { createAuthority } from "@sluice/demo/certificates";
import type { Authority } from "@sluice/demo/certificates";
import { SecretText } from "@sluice/core/model";
import type { SecretResource } from "@sluice/core/model";
import { beforeAll, describe, expect, test } from "vitest";
import { captureClientHello } from "../tls/capture-client-hello.ts";
import {
  attemptTls,
  chain,
  closed,
  exchangeRaw,
  openTcp,
  secret,
  serverSecret,
  startListener,
  tlsChain,
} from "./support.ts";

let authority: Authority;
let secrets: SecretResource[];

beforeAll(async () => {
  authority = await createAuthority({ commonName: "root" });
  const names = ["exact", "wide", "fallback", "ecdsa"];
  secrets = await Promise.all(
    names.map(async (name) => serverSecret(name, await authority.issue({ commonName: name }))),
  );
  secrets.push(serverSecret("server", await authority.issue({ commonName: "server" })));
  secrets.push(serverSecret("rsa", await authority.issue({ commonName: "rsa", algorithm: "rsa-2048" })));
});

const from = (name: string) => ({ certificates: [{ secret: name, files: null }] });

describe("the server name picks the chain", () => {
  const chains = () => [
    tlsChain("a.example", from("exact")),
    tlsChain("*.example", from("wide")),
    chain({ name: "rest", tls: tlsChain("x", from("fallback")).tls }),
  ];

  test.each([
    ["a.example", "exact"],
    ["A.eXample", "exact"],
    ["a.example.", "exact"],
    ["b.example", "wide"],
    ["c.b.example", "wide"],
    ["example", "fallback"],
    ["other", "fallback"],
    [undefined, "fallback"],
  ])("%s is served with the certificate %s", async (servername, expected) => {
    await using listener = await startListener({ chains: chains(), secrets });
    const attempt = await attemptTls(listener.port, servername === undefined ? {} : { servername });
    expect(attempt).toMatchObject({ peerCommonName: expected, received: expect.stringContaining("hello") });
    expect(listener.handler.exchanges[0]?.downstream.sni).toBe(servername ?? null);
  });

  test.each(["other.test", undefined])("%s without a chain for it closes the connection", async (servername) => {
    await using listener = await startListener({ chains: [tlsChain("a.example")], secrets });
    const { received } = await attemptTls(listener.port, servername === undefined ? {} : { servername });
    expect(received).toBe("");
    expect(listener.handshakeFailures).toEqual([{ filterChain: null, reason: "no_filter_chain" }]);
  });

  test.each(["a\0example", "a..example", "a/example", "a_example\xff"])(
    "the server name %j is refused",
    async (forged) => {
      await using listener = await startListener({ chains: chains(), secrets });
      const hello = await captureClientHello({ servername: "N".repeat(forged.length) });
      const at = hello.indexOf("N".repeat(forged.length));
      hello.write(forged, at, "latin1");
      expect(await exchangeRaw(listener.port, hello)).toBe("");
      expect(listener.handshakeFailures).toEqual([{ filterChain: null, reason: "bad_server_name" }]);
    },
  );
});

test("a ClientHello in single bytes is answered", async () => {
  await using listener = await startListener({ chains: [tlsChain("a.example")], secrets });
  const hello = await captureClientHello({ servername: "a.example" });
  const socket = await openTcp(listener.port);
  socket.setNoDelay(true);
  for (const byte of hello) {
    socket.write(Uint8Array.of(byte));
    await sleep(0);
  }
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer[0]).toBe(22);
  socket.destroy();
});

test("plain HTTP on a TLS port is closed without a word", async () => {
  await using listener = await startListener({ chains: [tlsChain("a.example")], secrets });
  expect(await exchangeRaw(listener.port, "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n")).toBe("");
  expect(listener.handshakeFailures).toEqual([{ filterChain: null, reason: "not_tls" }]);
});

test("a client that never finishes its handshake is closed, before and after the ClientHello", async () => {
  await using listener = await startListener({
    chains: [tlsChain("a.example")],
    secrets,
    limits: { handshakeTimeoutMs: 100 },
  });
  const hello = await captureClientHello({ servername: "a.example" });
  expect(await exchangeRaw(listener.port, hello.subarray(0, 50))).toBe("");
  await exchangeRaw(listener.port, hello);
  expect(listener.handshakeFailures).toEqual([
    { filterChain: null, reason: "handshake_timeout" },
    { filterChain: "https.a.example", reason: "handshake_timeout" },
  ]);
});

test("a connection that says nothing and goes is no failed handshake", async () => {
  await using listener = await startListener({ chains: [tlsChain("a.example")], secrets });
  const socket = await openTcp(listener.port);
  socket.end();
  await closed(socket);
  await listener.bound.drain();
  expect(listener.handshakeFailures).toEqual([]);
  expect(listener.connections).toEqual({ opened: 1, closed: 1 });
});

test("connections beyond the limit are closed at once and those below it go on", async () => {
  await using listener = await startListener({
    chains: [tlsChain("a.example")],
    secrets,
    limits: { maxConnections: 1 },
  });
  const first = await openTcp(listener.port);
  expect(await exchangeRaw(listener.port, "")).toBe("");
  first.destroy();
  await closed(first);
});

describe("what a chain says about TLS is honoured", () => {
  test.each([
    [["h2", "http/1.1"], ["http/1.1"], "http/1.1"],
    [["http/1.1"], ["h2", "http/1.1"], "http/1.1"],
    [["h2", "http/1.1"], undefined, null],
    [[], ["http/1.1"], null],
  ] as const)("ALPN %j offered %j gives %s", async (alpn, offered, expected) => {
    await using listener = await startListener({ chains: [tlsChain("a.example", { alpn })], secrets });
    const attempt = await attemptTls(listener.port, {
      servername: "a.example",
      ...(offered === undefined ? {} : { ALPNProtocols: [...offered] }),
    });
    expect(attempt).toMatchObject({ alpn: expected, received: expect.stringContaining("hello") });
  });

  test("a client that only speaks another protocol is refused", async () => {
    await using listener = await startListener({ chains: [tlsChain("a.example")], secrets });
    const { received } = await attemptTls(listener.port, { servername: "a.example", ALPNProtocols: ["smtp"] });
    expect(received).toBe("");
    expect(listener.handshakeFailures).toEqual([{ filterChain: "https.a.example", reason: "no_application_protocol" }]);
  });

  test.each([
    ["TLSv1.2", "TLSv1.2", "TLSv1.3", "TLSv1.2"],
    ["TLSv1.3", "TLSv1.3", "TLSv1.2", null],
    ["TLSv1.2", "TLSv1.3", "TLSv1.3", "TLSv1.3"],
  ] as const)("%s to %s with a client up to %s gives %s", async (minVersion, maxVersion, clientMax, expected) => {
    await using listener = await startListener({
      chains: [tlsChain("a.example", { minVersion, maxVersion })],
      secrets,
    });
    const attempt = await attemptTls(listener.port, { servername: "a.example", maxVersion: clientMax });
    expect(attempt.protocol).toBe(expected);
  });

  test("TLS 1.1 is spoken where it is asked for and nowhere else", async () => {
    const chains = [
      tlsChain("old.example", { minVersion: "TLSv1.1", ...from("rsa") }),
      tlsChain("a.example", from("rsa")),
    ];
    await using listener = await startListener({ chains, secrets });
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
    expect((await attemptTls(listener.port, { servername: "old.example", ...old })).protocol).toBe("TLSv1.1");
    expect((await attemptTls(listener.port, { servername: "a.example", ...old })).protocol).toBeNull();
    expect(listener.handshakeFailures).toEqual([{ filterChain: "https.a.example", reason: "unsupported_protocol" }]);
  });

  const negotiate = async (port: number, options: object): Promise<string> => {
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      servername: "a.example",
      rejectUnauthorized: false,
      ...options,
    });
    socket.on("error", () => undefined);
    await Promise.race([new Promise((resolve) => socket.once("secureConnect", resolve)), closed(socket)]);
    const name = socket.destroyed ? "refused" : socket.getCipher().name;
    socket.destroy();
    return name;
  };

  test("listed ciphers bind TLS 1.2, in their order, and leave TLS 1.3 on", async () => {
    const cipherSuites = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"];
    await using listener = await startListener({ chains: [tlsChain("a.example", { cipherSuites })], secrets });
    const connect = (options: object): Promise<string> => negotiate(listener.port, options);
    expect(await connect({ maxVersion: "TLSv1.2", ciphers: cipherSuites.toReversed().join(":") })).toBe(
      cipherSuites[0],
    );
    expect(await connect({ maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305" })).toBe("refused");
    expect(await connect({ minVersion: "TLSv1.3" })).toMatch(/^TLS_/);
  });

  test.each([
    ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"],
    ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"],
    ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"],
    ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"],
  ])("without a list the client chooses: %s", async (preferred, other) => {
    await using listener = await startListener({ chains: [tlsChain("a.example")], secrets });
    const version = preferred.startsWith("TLS_") ? "TLSv1.3" : "TLSv1.2";
    const options = { ciphers: `${preferred}:${other}`, minVersion: version, maxVersion: version };
    expect(await negotiate(listener.port, options)).toBe(preferred);
  });

  test("without a list no client gets, whatever it prefers, what HTTP/2 forbids", async () => {
    await using listener = await startListener({ chains: [tlsChain("a.example")], secrets });
    const weak = "ECDHE-ECDSA-AES128-SHA";
    const negotiateOld = (ciphers: string): Promise<string> =>
      negotiate(listener.port, { ciphers, maxVersion: "TLSv1.2" });
    expect(await negotiateOld(`${weak}:ECDHE-ECDSA-AES128-GCM-SHA256`)).toBe("ECDHE-ECDSA-AES128-GCM-SHA256");
    expect(await negotiateOld(weak)).toBe("refused");
  });

  test("groups this OpenSSL does not know are left out, the others bind", async () => {
    const ecdhCurves = ["NoSuchGroup", "P-384"];
    await using listener = await startListener({ chains: [tlsChain("a.example", { ecdhCurves })], secrets });
    const options = { servername: "a.example", minVersion: "TLSv1.3" } as const;
    expect((await attemptTls(listener.port, { ...options, ecdhCurve: "P-384" })).received).toContain("hello");
    expect((await attemptTls(listener.port, { ...options, ecdhCurve: "P-256" })).received).toBe("");
  });

  test("of an RSA and an ECDSA certificate the client gets the one it can check", async () => {
    const certificates = [
      { secret: "rsa", files: null },
      { secret: "ecdsa", files: null },
    ];
    await using listener = await startListener({ chains: [tlsChain("a.example", { certificates })], secrets });
    const names = await Promise.all(
      ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"].map(async (ciphers) => {
        const options = { servername: "a.example", maxVersion: "TLSv1.2", ciphers } as const;
        return (await attemptTls(listener.port, options)).peerCommonName;
      }),
    );
    expect(names).toEqual(["rsa", "ecdsa"]);
  });

  test("a client cannot renegotiate", async () => {
    // So long that nothing but the attempt can be what closes it.
    const limits = { requestHeadTimeoutMs: 3_600_000 };
    await using listener = await startListener({ chains: [tlsChain("a.example")], secrets, limits });
    listener.handler.answer = () => undefined;
    const socket = connectTls({
      port: listener.port,
      host: "127.0.0.1",
      servername: "a.example",
      rejectUnauthorized: false,
      maxVersion: "TLSv1.2",
      secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
    });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    socket.renegotiate({ rejectUnauthorized: false }, () => undefined);
    await closed(socket);
    expect(listener.handler.exchanges).toEqual([]);
  });
});

describe("a chain that cannot be served", () => {
  test.each<[string, () => SecretResource[], string]>([
    ["its certificate is absent", () => [], "certificate_missing"],
    ["its certificate is not ready", () => [secret("bad", { status: "invalid" })], "certificate_missing"],
    [
      "key and certificate do not belong together",
      () => [{ ...named("ecdsa"), name: "bad", privateKey: named("exact").privateKey }],
      "tls_context_invalid",
    ],
    [
      "its key is damaged",
      () => [{ ...named("ecdsa"), name: "bad", privateKey: new SecretText("junk") }],
      "tls_context_invalid",
    ],
  ])("refuses everyone while another serves, when %s", async (_claim, given, reason) => {
    const chains = [tlsChain("bad.example", from("bad")), tlsChain("*.example")];
    await using listener = await startListener({ chains, secrets: [...secrets, ...given()] });
    expect((await attemptTls(listener.port, { servername: "bad.example" })).received).toBe("");
    expect(listener.handshakeFailures).toEqual([{ filterChain: "https.bad.example", reason }]);
    expect((await attemptTls(listener.port, { servername: "good.example" })).received).toContain("hello");
  });

  test("serves as soon as its secret arrives", async () => {
    const chains = [tlsChain("a.example", from("late"))];
    await using listener = await startListener({ chains, secrets: [] });
    expect((await attemptTls(listener.port, { servername: "a.example" })).received).toBe("");
    listener.update({ chains, secrets: [{ ...named("ecdsa"), name: "late" }] });
    expect((await attemptTls(listener.port, { servername: "a.example" })).received).toContain("hello");
  });
});

test("a new certificate is shown to the next client while the connection made under the old one goes on", async () => {
  const chains = [tlsChain("a.example", from("current"))];
  const current = (name: string) => [{ ...named(name), name: "current" }];
  await using listener = await startListener({ chains, secrets: current("exact") });
  const open = connectTls({
    port: listener.port,
    host: "127.0.0.1",
    servername: "a.example",
    rejectUnauthorized: false,
  });
  await once(open, "secureConnect");
  listener.update({ chains, secrets: current("wide") });
  expect((await attemptTls(listener.port, { servername: "a.example" })).peerCommonName).toBe("wide");
  open.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
  const [answer] = (await once(open, "data")) as [Buffer];
  expect(answer.toString()).toContain("200 OK");
  open.destroy();
});

function named(name: string): SecretResource {
  const found = secrets.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no secret ${name}`);
  return found;
}
