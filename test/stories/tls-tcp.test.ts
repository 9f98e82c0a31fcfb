// Raw bytes inside TLS: ended by Sluice for TCP routes, begun by Sluice towards upstreams, told by openssl on both ends. Who has to show
// a certificate and does not, or who is not the upstream that was meant, gets and gives no byte.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { createAuthority, type Issued } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  documents,
  gatewayResource,
  httpsServer,
  secret,
  service,
  serviceOn,
  virtualService,
} from "../support/config.ts";
import { runSluice } from "../support/command.ts";
import { gateway, type Gateway } from "../support/gateway.ts";
import { LineReader } from "../support/lines.ts";
import { clear, secure, talk } from "../support/raw-socket.ts";
import { RawUpstream } from "../support/raw-upstream.ts";
import { askOverTls, clientOf, getRequest, openssl, opensslVersion, tlsVersions } from "../support/tls-client.ts";

const istio = "networking.istio.io/v1";
const clients = await createAuthority({ commonName: "clients" });
const others = await createAuthority({ commonName: "others" });
const servers = await createAuthority({ commonName: "servers" });
const issued: Readonly<Record<string, Issued>> = {
  listed: await clients.issue({ commonName: "listed", client: true, dnsNames: ["listed.example"] }),
  unlisted: await clients.issue({ commonName: "unlisted", client: true, dnsNames: ["unlisted.example"] }),
  stranger: await others.issue({ commonName: "stranger", client: true, dnsNames: ["listed.example"] }),
  gateway: await servers.issue({ commonName: "gateway", dnsNames: ["*.example"] }),
  backend: await servers.issue({ commonName: "backend", dnsNames: ["backend.example"] }),
};

/** Echoes what it is sent, behind the PROXY header that it is sent first, and ends when its client has. */
const echo = await RawUpstream.listen((socket) => socket.pipe(socket));
const httpbin = await startHttpbin();
let files = "";
let site: Gateway;
/** Answers each line with the line reversed, over TLS, and asks its client for a certificate. */
let reverser: { readonly port: number; readonly stop: () => Promise<unknown> };
/** Ends TLS with a certificate for another name and keeps what was said inside. */
const overheard: string[] = [];
const wrong = createServer(
  { cert: issued["gateway"]?.chainPem, key: issued["gateway"]?.keyPem },
  (socket: TLSSocket) => {
    socket.on("error", () => undefined).on("data", (chunk: Buffer) => overheard.push(chunk.toString("latin1")));
  },
);
wrong.on("tlsClientError", () => undefined);
wrong.listen(0, "127.0.0.1");
await once(wrong, "listening");

const tlsServer = (host: string, tls: Readonly<Record<string, unknown>>) => ({
  port: { number: 443, name: `tls-${host.replaceAll(".", "-")}`, protocol: "TLS" },
  hosts: [host],
  tls,
});
const tcpServer = (number: number) => ({ port: { number, name: `tcp-${number}`, protocol: "TCP" }, hosts: ["*"] });
const mutual = { mode: "MUTUAL", credentialName: "mutual", subjectAltNames: ["listed.example"] };

function tcpRoute(name: string, gatewayName: string, match: readonly { readonly port: number }[]) {
  const rule = { match, route: [{ destination: { host: name, port: { number: 9000 } } }] };
  const spec = { hosts: ["*"], gateways: [gatewayName], tcp: [rule] };
  return { apiVersion: istio, kind: "VirtualService", metadata: { name: `${gatewayName}-${name}` }, spec };
}

const policy = (host: string, trafficPolicy: Readonly<Record<string, unknown>>) => ({
  apiVersion: istio,
  kind: "DestinationRule",
  metadata: { name: host },
  spec: { host, trafficPolicy },
});

function config(): string {
  const { gateway: own, listed } = issued;
  const pair = { "tls.crt": own?.chainPem ?? "", "tls.key": own?.keyPem ?? "" };
  const toUpstream = { mode: "MUTUAL", credentialName: "to-upstream", sni: "backend.example" };
  return documents(
    gatewayResource("tls", [
      tlsServer("db.example", mutual),
      tlsServer("maybe.example", { ...mutual, mode: "OPTIONAL_MUTUAL" }),
      tlsServer("open.example", { mode: "SIMPLE", credentialName: "open" }),
      tlsServer("old.example", { mode: "SIMPLE", credentialName: "open", maxProtocolVersion: "TLSV1_2" }),
      httpsServer(["web.example"], { mode: "SIMPLE", credentialName: "open" }),
    ]),
    gatewayResource("tcp", [tcpServer(9000), tcpServer(9001)]),
    tcpRoute("echo", "tls", [{ port: 443 }]),
    tcpRoute("reverser", "tcp", [{ port: 9000 }]),
    tcpRoute("wrong", "tcp", [{ port: 9001 }]),
    virtualService("web", { hosts: ["web.example"], gateways: ["tls"], destination: "httpbin" }),
    policy("echo", { proxyProtocol: { version: "V1" } }),
    policy("reverser", { tls: toUpstream }),
    policy("wrong", { tls: toUpstream }),
    secret("open", pair),
    secret("mutual", { ...pair, "ca.crt": clients.certificatePem }),
    secret("to-upstream", {
      "tls.crt": listed?.chainPem ?? "",
      "tls.key": listed?.keyPem ?? "",
      "ca.crt": servers.certificatePem,
    }),
    ...serviceOn("echo", { name: "tcp", port: 9000 }, [echo.port]),
    ...serviceOn("reverser", { name: "tcp", port: 9000 }, [reverser.port]),
    ...serviceOn("wrong", { name: "tcp", port: 9000 }, [(wrong.address() as AddressInfo).port]),
    ...service("httpbin", httpbin.port),
  );
}

async function startReverser(): Promise<typeof reverser> {
  const identity = ["-cert", join(files, "backend.crt"), "-key", join(files, "backend.key")];
  const demand = ["-Verify", "1", "-verify_return_error", "-CAfile", join(files, "clients.pem")];
  const args = ["s_server", "-accept", "127.0.0.1:0", "-rev", ...identity, ...demand];
  const child = spawn("openssl", args, { stdio: ["ignore", "pipe", "ignore"] });
  const line = await new LineReader(child.stdout).next((text) => text.startsWith("ACCEPT "));
  const exited = once(child, "exit");
  return {
    port: Number(line.split(":").at(-1)),
    stop: () => {
      child.kill();
      return exited;
    },
  };
}

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), "sluice-story-tls-tcp-"));
  for (const [name, { chainPem, keyPem }] of Object.entries(issued)) {
    await writeFile(join(files, `${name}.crt`), chainPem);
    await writeFile(join(files, `${name}.key`), keyPem);
  }
  await writeFile(join(files, "servers.pem"), servers.certificatePem);
  await writeFile(join(files, "clients.pem"), clients.certificatePem);
  reverser = await startReverser();
  site = await gateway({ config: { "site.yaml": config() }, ports: [443, 9000, 9001] });
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await reverser.stop();
  await echo[Symbol.asyncDispose]();
  await httpbin.close();
  wrong.close();
  await rm(files, { recursive: true });
});

const shown = (name: string) => ["-cert", join(files, `${name}.crt`), "-key", join(files, `${name}.key`)];
const verified = (host: string) => ["-servername", host, "-verify_return_error", "-CAfile", join(files, "servers.pem")];

describe.each(tlsVersions)("TLS that ends at the gateway, %s", (version) => {
  /** What openssl prints when it sends one line; `Q` at a line's start ends it. */
  const say = (host: string, ...identity: readonly string[]) => {
    const args = ["-no_ign_eof", opensslVersion[version], ...verified(host), ...identity];
    return openssl(site.port(443), args, "it is me\nQ\n");
  };

  test("openssl is shown the chain of its server name and TCP goes on in clear behind a PROXY header", async () => {
    const socket = secure(site.port(443), clientOf(version, { servername: "open.example" }));
    const { text } = await talk(socket, "it is me\n", { until: (received) => received.endsWith("me\n") });
    expect(text).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nit is me\n$/);
    expect(await say("open.example")).toMatch(/subject=CN ?= ?gateway[^]*Verify return code: 0 \(ok\)/);
  });

  test("a client that shows the certificate that is demanded is let in", async () => {
    const { chainPem: cert, keyPem: key } = issued["listed"] as Issued;
    for (const servername of ["db.example", "maybe.example"]) {
      const socket = secure(site.port(443), clientOf(version, { servername, cert, key }));
      expect((await talk(socket, "it is me\n", { until: (text) => text.endsWith("me\n") })).text).toContain("it is me");
    }
  });

  test("one that shows none, one of another CA or of another name never reaches the backend", async () => {
    const before = echo.sockets.length;
    for (const [host, name] of [
      ["db.example", null],
      ["db.example", "stranger"],
      ["db.example", "unlisted"],
      ["maybe.example", "stranger"],
      ["maybe.example", "unlisted"],
    ] as const) {
      const identity = name === null ? {} : { cert: issued[name]?.chainPem, key: issued[name]?.keyPem };
      const options = clientOf(version, { servername: host, ...(identity as { cert: string; key: string }) });
      expect((await askOverTls(site.port(443), options, "let me in\n")).received).toBe("");
      expect(await say(host, ...(name === null ? [] : shown(name)))).not.toContain("it is me\nit is me");
    }
    expect(echo.sockets.length).toBe(before);
  });

  test("a session of an open chain does not resume on one that demands a certificate", async () => {
    const before = echo.sockets.length;
    const session = join(files, `session-${version}`);
    await openssl(
      site.port(443),
      [...verified("open.example"), opensslVersion[version], "-no_ign_eof", "-sess_out", session],
      "x\nQ\n",
    );
    const reached = echo.sockets.length;
    expect(reached).toBe(before + 1);
    const output = await say("db.example", "-sess_in", session);
    expect(output).not.toContain("Reused, ");
    expect(echo.sockets.length).toBe(reached);
  });
});

test("a chain's version limits hold for TCP as for HTTP, and HTTPS beside it serves", async () => {
  const port = site.port(443);
  expect(await openssl(port, ["-tls1_3", ...verified("old.example")], "")).toMatch(
    /alert protocol version|New, \(NONE\)/,
  );
  const { status } = await askOverTls(
    port,
    { servername: "web.example", rejectUnauthorized: false },
    getRequest("web.example", "/status/204"),
  );
  expect(status).toBe(204);
  const { status: misdirected } = await askOverTls(
    port,
    { servername: "web.example", rejectUnauthorized: false },
    getRequest("db.example", "/"),
  );
  expect(misdirected).toBe(421);
});

test("no protocol is agreed on in the backend's name, and whatever the client offers is no hindrance", async () => {
  const { protocol, received } = await new Promise<{ protocol: string | false | null; received: string }>(
    (resolve, reject) => {
      const options = { servername: "open.example", rejectUnauthorized: false, ALPNProtocols: ["postgresql", "h2"] };
      const socket = secure(site.port(443), options) as TLSSocket;
      socket.on("error", reject).on("data", (chunk: Buffer) => {
        resolve({ protocol: socket.alpnProtocol, received: chunk.toString() });
        socket.destroy();
      });
      socket.write("startup");
    },
  );
  expect(protocol).toBe(false);
  expect(received).toMatch(/^PROXY /);
});

test("explain says what pc prints and what happens", async () => {
  const args = ["explain", "-f", site.configDirectory, "--port", "443", "--scheme", "tcp", "-o", "json"];
  const { stdout } = await runSluice([...args, "--host", "db.example", "--sni", "db.example"]);
  expect(JSON.parse(stdout)).toMatchObject({ action: "reject", error: "client-certificate-required" });
  const accepted = await runSluice([...args, "--host", "x", "--sni", "open.example"]);
  expect(JSON.parse(accepted.stdout)).toMatchObject({
    action: "tcp",
    cluster: "outbound|9000||echo.default.svc.cluster.local",
  });
});

describe("TLS that begins at the gateway", () => {
  test("openssl s_server that demands a certificate is shown Sluice's and gets the bytes", async () => {
    const { text } = await talk(clear(site.port(9000)), "drawer\n", { until: (received) => received.endsWith("\n") });
    expect(text).toBe("reward\n");
    expect(await site.metrics()).toMatch(/istio_tcp_received_bytes_total\{[^}]*destination_service="reverser[^}]*\} 7/);
  });

  test("an upstream with a certificate for another name gets nothing", async () => {
    expect(await talk(clear(site.port(9001)), "secret", {})).toMatchObject({ text: "" });
    expect(overheard).toEqual([]);
    const line = await site.edge.stdout.next((text) => text.includes("outbound|9000||wrong."));
    expect(line).toContain('"- - -" 0 UF - - "certificate has another name" ');
  });
});
