// TLS that passes through: the server name chooses the upstream, whose own certificate the client sees; Sluice never decrypts.
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  documents,
  gatewayResource,
  httpsServer,
  service,
  serviceOn,
  tlsSecret,
  virtualService,
} from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { gateway, type Gateway } from "../support/gateway.ts";

const istio = "networking.istio.io/v1";
const authority = await createAuthority({ commonName: "story ca" });
const servers: Server[] = [];
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-passthrough-"));
  await writeFile(join(directory, "ca.pem"), authority.certificatePem);
});

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true });
});

/** An HTTPS server with a certificate of its own, as a Service on port 443. */
async function secureService(name: string, dnsNames: string[]) {
  const { chainPem, keyPem } = await authority.issue({ commonName: name, dnsNames });
  const server = createServer({ cert: chainPem, key: keyPem }, (_request, response) => response.end(`I am ${name}`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  return serviceOn(name, { name: "tls", port: 443 }, [(server.address() as AddressInfo).port]);
}

function passthroughServer(hosts: readonly string[]) {
  return { port: { number: 443, name: "tls", protocol: "TLS" }, hosts, tls: { mode: "PASSTHROUGH" } };
}

function tlsRoute(name: string, sniHosts: readonly string[]) {
  const route = [{ destination: { host: name, port: { number: 443 } } }];
  const tls = [{ match: [{ port: 443, sniHosts }], route }];
  return {
    apiVersion: istio,
    kind: "VirtualService",
    metadata: { name },
    spec: { hosts: sniHosts, gateways: ["edge"], tls },
  };
}

function get(world: Gateway, host: string) {
  const to = `${host}:443:127.0.0.1:${world.port(443)}`;
  return curl("--http1.1", "--cacert", join(directory, "ca.pem"), "--connect-to", to, `https://${host}/status/200`);
}

describe("TLS PASSTHROUGH", () => {
  test("exact and wildcard names choose their upstreams; a name of nobody is closed", async () => {
    const config = documents(
      gatewayResource("edge", [passthroughServer(["a.example", "*.b.example"])]),
      tlsRoute("exact", ["a.example"]),
      tlsRoute("wide", ["*.b.example"]),
      ...(await secureService("exact", ["a.example"])),
      ...(await secureService("wide", ["*.b.example", "*.c.b.example"])),
    );
    await using world = await gateway({ config: { "site.yaml": config }, ports: [443] });
    expect(world.engine(443)).toBe("node");
    expect((await get(world, "a.example")).body).toBe("I am exact");
    expect(await world.nextAccessLogLine()).toMatch(/"- - -" 0 - .* outbound\|443\|\|exact\..* a\.example -$/);
    expect((await get(world, "x.b.example")).body).toBe("I am wide");
    expect((await get(world, "y.c.b.example")).body).toBe("I am wide");
    expect((await get(world, "other.test")).code).toBe(35);
    expect(await world.metrics()).toMatch(/handshake_failures_total\{[^}]*reason="no_filter_chain"[^}]*\} 1/);
  });

  test("weights divide connections, each with the certificate of the backend it came to", async () => {
    const { spec, ...rest } = tlsRoute("stable", ["a.example"]);
    const route = [
      { destination: { host: "stable", port: { number: 443 } }, weight: 70 },
      { destination: { host: "canary", port: { number: 443 } }, weight: 30 },
    ];
    const config = documents(
      gatewayResource("edge", [passthroughServer(["a.example"])]),
      { ...rest, spec: { ...spec, tls: spec.tls.map((rule) => ({ ...rule, route })) } },
      ...(await secureService("stable", ["a.example"])),
      ...(await secureService("canary", ["a.example"])),
    );
    await using world = await gateway({ config: { "site.yaml": config }, ports: [443] });
    const names: string[] = [];
    for (let i = 0; i < 120; i++) {
      const socket = connect({
        port: world.port(443),
        host: "127.0.0.1",
        servername: "a.example",
        ca: authority.certificatePem,
      });
      // One after the other, so that no burst of handshakes is timed here.
      // eslint-disable-next-line no-await-in-loop
      await once(socket, "secureConnect");
      names.push(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    }
    const canaries = names.filter((name) => name === "canary").length;
    expect(names.filter((name) => name === "stable").length).toBe(120 - canaries);
    // Four standard deviations around the mean of 36.
    expect(canaries).toBeGreaterThan(15);
    expect(canaries).toBeLessThan(57);
  });

  test("a server of our own ends TLS beside it on the same port", async () => {
    const backend = await startHttpbin({ name: "httpbin" });
    const config = documents(
      gatewayResource("edge", [
        httpsServer(["own.example"], { mode: "SIMPLE", credentialName: "own" }),
        passthroughServer(["a.example"]),
      ]),
      tlsRoute("exact", ["a.example"]),
      virtualService("own", { hosts: ["own.example"], gateways: ["edge"], destination: "httpbin" }),
      tlsSecret("own", await authority.issue({ commonName: "own", dnsNames: ["own.example"] })),
      ...service("httpbin", backend.port),
      ...(await secureService("exact", ["a.example"])),
    );
    await using world = await gateway({ config: { "site.yaml": config }, ports: [443] });
    expect((await get(world, "a.example")).body).toBe("I am exact");
    expect(await get(world, "own.example")).toMatchObject({ status: 200, headers: { server: "sluice" } });
    await backend.close();
  });
});
