// The same client against nghttp2's own server, which is not the library's other half inside node:http2.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import { clusterOf } from "./raw-server.ts";
import { RecordedExchange } from "./recorded-exchange.ts";

const hasNghttpd = spawnSync("nghttpd", ["--version"]).status === 0;
const content = "x".repeat(300_000);
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-nghttpd-"));
  await writeFile(join(directory, "index.html"), content);
});

afterAll(() => rm(directory, { recursive: true }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves when something accepts connections. */
async function accepting(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const isGone = once(child, "exit");
  child.kill("SIGKILL");
  await isGone;
}

async function fetchMany(manager: ClusterManager): Promise<void> {
  const exchanges = Array.from({ length: 150 }, () => RecordedExchange.send(manager.get("c")!.choose()!));
  for (const exchange of exchanges) {
    expect((await exchange.settled()).at(-1)).toBe("end");
    expect(exchange.body === content).toBe(true);
  }
  expect(manager.stats()).toMatchObject([{ activeRequests: 0, pendingRequests: 0 }]);
}

test.skipIf(!hasNghttpd)("nghttpd answers in the clear, by prior knowledge", async () => {
  const port = await freePort();
  const child = spawn("nghttpd", ["--no-tls", "-a", "127.0.0.1", "-d", directory, String(port)]);
  const manager = new ClusterManager();
  await accepting(port);
  manager.apply([clusterOf([{ port }], { protocol: "http2" })]);
  await fetchMany(manager);
  manager.close();
  await stop(child);
});

test.skipIf(!hasNghttpd)("nghttpd answers over TLS, chosen by ALPN", async () => {
  const authority = await createAuthority({ commonName: "root" });
  const issued = await authority.issue({ commonName: "x", dnsNames: ["a"] });
  await writeFile(join(directory, "key.pem"), issued.keyPem);
  await writeFile(join(directory, "cert.pem"), issued.chainPem);
  const port = await freePort();
  const files = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const child = spawn("nghttpd", ["-a", "127.0.0.1", "-d", directory, String(port), ...files]);
  const manager = new ClusterManager();
  await accepting(port);
  const tls = { certificate: null, trustedCa: "ca", crl: null, sni: "", subjectAltNames: [], acceptsUntrusted: false };
  manager.apply([clusterOf([{ port }], { protocol: "http2", tls })], () => ({
    name: "ca",
    status: "ready",
    reason: "",
    certificateChain: null,
    privateKey: null,
    trustedCa: authority.certificatePem,
    crl: null,
  }));
  await fetchMany(manager);
  manager.close();
  await stop(child);
});
