import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SecretResource } from "@sluice/core/model";
import { type Authority, createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptTls, closed, exchangeRaw, openTcp, serverSecret, tlsChain } from "../listen-node/support.ts";
import { captureClientHello } from "../tls/capture-client-hello.ts";
import { clusterTo, forwardChain, NetworkWorld, Upstream, type WorldSource } from "./world.ts";

const run = promisify(execFile);

let authority: Authority;
let secrets: SecretResource[];
let directory: string;
const servers = new Map<string, Server>();

/** HTTPS servers with certificates of their own, which name themselves. */
beforeAll(async () => {
  authority = await createAuthority({ commonName: "root" });
  secrets = [serverSecret("server", await authority.issue({ commonName: "sluice", dnsNames: ["own.example"] }))];
  directory = await mkdtemp(join(tmpdir(), "sluice-passthrough-"));
  await writeFile(join(directory, "ca.pem"), authority.certificatePem);
  for (const [name, dnsNames] of [
    ["exact", ["a.example"]],
    ["wide", ["*.b.example", "*.c.b.example"]],
  ] as const) {
    const { chainPem, keyPem } = await authority.issue({ commonName: name, dnsNames: [...dnsNames] });
    const server = createServer({ cert: chainPem, key: keyPem }, (_request, response) => response.end(`I am ${name}`));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    servers.set(name, server);
  }
});

afterAll(async () => {
  for (const server of servers.values()) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
});

function site(): WorldSource {
  const clusters = [...servers].map(([name, server]) => clusterTo(server.address() as AddressInfo, { name }));
  const [exact, wide] = clusters;
  if (exact === undefined || wide === undefined) throw new Error("no servers");
  return {
    clusters,
    secrets,
    listener: { transport: "tls", port: 443 },
    chains: [
      forwardChain([exact], { name: "exact", serverNames: ["a.example"] }),
      forwardChain([wide], { name: "wide", serverNames: ["*.b.example"] }),
      tlsChain("own.example", { alpn: ["http/1.1"] }),
    ],
  };
}

describe("the server name chooses the upstream, whose certificate the client sees", () => {
  test.each([
    ["a.example", "exact"],
    ["A.Example", "exact"],
    ["c.b.example", "wide"],
    ["d.c.b.example", "wide"],
  ])("%s", async (servername, name) => {
    await using world = await NetworkWorld.start(site());
    const attempt = await attemptTls(world.port, {
      servername,
      ca: authority.certificatePem,
      rejectUnauthorized: true,
    });
    expect(attempt.peerCommonName).toBe(name);
    expect(attempt.received).toContain(`I am ${name}`);
    expect(await world.logLine()).toMatch(new RegExp(`"- - -" 0 - .* ${name} .* ${servername} -$`));
  });

  test("a chain with a certificate of its own beside them still serves HTTP", async () => {
    await using world = await NetworkWorld.start(site());
    const attempt = await attemptTls(world.port, { servername: "own.example" });
    expect(attempt).toMatchObject({ peerCommonName: "sluice", received: expect.stringContaining("hello") });
    expect(world.count("istio_tcp_connections_opened_total")).toBe(0);
  });
});

describe("real clients", () => {
  test("curl", async () => {
    await using world = await NetworkWorld.start(site());
    const to = `a.example:${world.port}`;
    const connectTo = `${to}:127.0.0.1:${world.port}`;
    const options = ["-sS", "--cacert", join(directory, "ca.pem"), "--connect-to", connectTo, `https://${to}/`];
    expect((await run("curl", options)).stdout).toBe("I am exact");
  });

  test.each(["-tls1_2", "-tls1_3"])("openssl s_client %s verifies the upstream's chain", async (version) => {
    await using world = await NetworkWorld.start(site());
    const at = `127.0.0.1:${world.port}`;
    const ca = join(directory, "ca.pem");
    const client = run("openssl", ["s_client", version, "-connect", at, "-servername", "c.b.example", "-CAfile", ca]);
    client.child.stdin?.end();
    expect((await client).stdout).toMatch(/subject=CN ?= ?wide[^]*Verify return code: 0 \(ok\)/);
  });
});

describe("is closed, and no upstream asked", () => {
  test.each([["other.test"], ["b.example"], [undefined]])("a server name without a chain: %s", async (servername) => {
    await using world = await NetworkWorld.start(site());
    expect((await attemptTls(world.port, servername === undefined ? {} : { servername })).protocol).toBeNull();
    expect(world.listener.handshakeFailures).toEqual([{ filterChain: null, reason: "no_filter_chain" }]);
    expect(world.clusters.stats().map(({ connectTotal }) => connectTotal)).toEqual([0, 0]);
  });

  test("what is no TLS", async () => {
    await using world = await NetworkWorld.start(site());
    expect(await exchangeRaw(world.port, "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n")).toBe("");
    expect(world.listener.handshakeFailures).toEqual([{ filterChain: null, reason: "not_tls" }]);
  });

  test("a server name whose chain now ends TLS here, while the listener does not know yet", async () => {
    await using world = await NetworkWorld.start(site());
    const own = tlsChain("a.example");
    world.swapTable({ ...site(), chains: [{ ...own, name: "exact" }] });
    expect((await attemptTls(world.port, { servername: "a.example" })).protocol).toBeNull();
    expect(await world.logLine()).toContain('"- - -" 0 NR ');
  });
});

test("a chain's name that means another chain in the new table leads nobody astray", async () => {
  const before = site();
  const [exact, wide, own] = before.chains;
  if (exact === undefined || wide === undefined || own === undefined) throw new Error("no chains");
  await using world = await NetworkWorld.start(before);
  world.swapTable({ ...before, chains: [{ ...exact, name: "wide" }, { ...wide, name: "exact" }, own] });
  expect((await attemptTls(world.port, { servername: "a.example" })).peerCommonName).toBe("exact");
});

test("the ClientHello reaches the upstream as it was sent, also in small pieces and with what follows it", async () => {
  await using upstream = await Upstream.listen();
  const cluster = clusterTo(upstream);
  await using world = await NetworkWorld.start({
    clusters: [cluster],
    listener: { transport: "tls" },
    chains: [forwardChain([cluster], { serverNames: ["a.example"] })],
  });
  const sent = Buffer.concat([await captureClientHello({ servername: "a.example" }), Buffer.from("early data")]);
  const client = await openTcp(world.port);
  for (let at = 0; at < sent.length; at += 50) {
    await new Promise((resolve) => client.write(sent.subarray(at, at + 50), resolve));
  }
  client.end();
  const server = await upstream.socket();
  const received: Buffer[] = [];
  server.on("data", (chunk) => received.push(chunk));
  await once(server, "end");
  expect(Buffer.concat(received)).toEqual(sent);
  server.end();
  await closed(client.resume());
});

test("a PROXY header before the ClientHello is read here and told to the upstream", async () => {
  await using upstream = await Upstream.listen();
  const cluster = clusterTo(upstream, { sendsProxyProtocol: "V1" });
  await using world = await NetworkWorld.start({
    clusters: [cluster],
    listener: { transport: "tls", acceptsProxyProtocol: true },
    chains: [forwardChain([cluster], { serverNames: ["a.example"] })],
  });
  const header = Buffer.from("PROXY TCP6 2001:db8::9 2001:db8::1 40000 443\r\n");
  const sent = Buffer.concat([header, await captureClientHello({ servername: "a.example" })]);
  const client = await openTcp(world.port);
  client.end(sent);
  const server = await upstream.socket();
  const received: Buffer[] = [];
  server.on("data", (chunk) => received.push(chunk));
  await once(server, "end");
  expect(Buffer.concat(received)).toEqual(sent);
  server.end();
  await closed(client.resume());
  expect(await world.logLine()).toContain(" [2001:db8::1]:443 [2001:db8::9]:40000 a.example -");
});
