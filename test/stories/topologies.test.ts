// The five topologies of the document Sluice was asked for from, with its requests and answers, over real processes on both engines.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  documents,
  gatewayResource,
  httpServer,
  httpsServer,
  service,
  tlsSecret,
  virtualService,
} from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { gateway } from "../support/gateway.ts";

const hostA = "httpbin-a.7cb9a9b7b318440399a0.eastus.aksapp.io";
const hostB = "httpbin-b.7cb9a9b7b318440399a0.eastus.aksapp.io";
const prefixes = ["/status", "/delay", "/headers"];

const backend = await startHttpbin({ name: "httpbin" });
const backendA = await startHttpbin({ name: "httpbin-a" });
const backendB = await startHttpbin({ name: "httpbin-b" });
const backends = documents(
  ...service("httpbin", backend.port),
  ...service("httpbin-a", backendA.port),
  ...service("httpbin-b", backendB.port),
);
const authority = await createAuthority({ commonName: "story ca" });
const server = await authority.issue({
  commonName: "httpbin",
  dnsNames: ["app.istio.local"],
  ipAddresses: ["127.0.0.1"],
});
const listedClient = await authority.issue({ commonName: "is5", dnsNames: ["is5.istio.local"], client: true });
let files = "";

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), "sluice-story-certs-"));
  await writeFile(join(files, "ca.crt"), authority.certificatePem);
  await writeFile(join(files, "client.crt"), listedClient.chainPem);
  await writeFile(join(files, "client.key"), listedClient.keyPem);
});

afterAll(async () => {
  await Promise.all([backend.close(), backendA.close(), backendB.close()]);
  await rm(files, { recursive: true });
});

describe.each(engineLanes)("$name", ({ edge, expected }) => {
  test("plain HTTP, one host: the listed prefixes are served, others are 404", async () => {
    const config = documents(
      gatewayResource("httpbin-gateway", [httpServer(["192.168.0.62"], { port: 6280 })]),
      virtualService("httpbin-vs", {
        hosts: ["192.168.0.62"],
        gateways: ["httpbin-gateway"],
        destination: "httpbin",
        prefixes,
      }),
    );
    await using world = await gateway({
      config: { "site.yaml": config, "backends.yaml": backends },
      edge,
      ports: [6280],
    });
    expect(world.engine(6280)).toBe(expected);
    const teapot = await curl("-H", "Host: 192.168.0.62", world.url(6280, "/status/418"));
    expect(teapot.status).toBe(418);
    expect(teapot.body).toContain("teapot");
    expect(teapot.headers).toMatchObject({ server: "sluice", "x-more-info": "http://tools.ietf.org/html/rfc2324" });
    expect(Number(teapot.headers["x-envoy-upstream-service-time"])).toBeGreaterThanOrEqual(0);
    expect((await curl("-H", "Host: 192.168.0.62", world.url(6280, "/get"))).status).toBe(404);
    expect((await curl("-H", "Host: other.example", world.url(6280, "/status/418"))).status).toBe(404);
  });

  test("TLS with redirect: http is 301 to https, https is the teapot", async () => {
    const config = documents(
      gatewayResource("httpbin-gateway-tls", [
        httpServer(["*"], { tls: { httpsRedirect: true } }),
        httpsServer(["*"], { mode: "SIMPLE", credentialName: "httpbin-cert" }, { name: "https" }),
      ]),
      virtualService("httpbin-vs", {
        hosts: ["127.0.0.1"],
        gateways: ["httpbin-gateway-tls"],
        destination: "httpbin",
        prefixes,
      }),
      tlsSecret("httpbin-cert", server),
    );
    await using world = await gateway({ config: { "site.yaml": config, "backends.yaml": backends }, edge });
    expect([world.engine(80), world.engine(443)]).toEqual([expected, expected]);
    // Today's Istio redirects every host the server names, whether a virtual service is bound or not.
    expect((await curl("-H", "Host: 192.168.0.62", world.url(80, "/status/418"))).status).toBe(301);
    const plain = await curl("-H", "Host: 127.0.0.1", world.url(80, "/status/418?x=1"));
    expect([plain.status, plain.headers["location"]]).toEqual([301, "https://127.0.0.1/status/418?x=1"]);
    const followed = await curl("-L", "--cacert", `${files}/ca.crt`, world.url(80, "/status/418"));
    expect(followed.rawHead).toMatch(/^HTTP\/1\.1 301 /);
    expect([followed.code, followed.status]).toEqual([0, 418]);
    expect(followed.body).toContain("teapot");
  });

  test("mutual TLS: the listed client gets the teapot, on engine node whatever is configured", async () => {
    const config = documents(
      gatewayResource("httpbin-gateway-mtls", [
        httpsServer(
          ["*"],
          { mode: "MUTUAL", credentialName: "httpbin-cert", subjectAltNames: ["is5.istio.local"] },
          { name: "https" },
        ),
      ]),
      virtualService("httpbin-vs", {
        hosts: ["127.0.0.1"],
        gateways: ["httpbin-gateway-mtls"],
        destination: "httpbin",
        prefixes,
      }),
      tlsSecret("httpbin-cert", server),
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "httpbin-cert-cacert", namespace: "istio-system" },
        stringData: { cacert: authority.certificatePem },
      },
    );
    await using world = await gateway({
      config: { "site.yaml": config, "backends.yaml": backends },
      edge,
      ports: [443],
    });
    expect(world.engine(443)).toBe("node");
    const url = `https://127.0.0.1:${world.port(443)}/status/418`;
    const client = ["--cert", `${files}/client.crt`, "--key", `${files}/client.key`];
    const served = await curl("--cacert", `${files}/ca.crt`, ...client, url);
    expect([served.code, served.status]).toEqual([0, 418]);
    const headers = await curl("--cacert", `${files}/ca.crt`, ...client, url.replace("/status/418", "/headers"));
    expect(headers.body).toContain("DNS=is5.istio.local");
    const refused = await curl("--cacert", `${files}/ca.crt`, url);
    expect([refused.code === 0, refused.status]).toEqual([false, 0]);
  });

  test.each([
    ["one server with two hosts", [httpServer([hostA, hostB])]],
    [
      "two servers with one host",
      [httpServer([hostA], { name: "http-httpbina" }), httpServer([hostB], { name: "http-httpbinb" })],
    ],
  ])("several hosts on port 80 (%s): a serves /status, b serves /headers", async (_, servers) => {
    const config = documents(
      gatewayResource("dual", servers),
      virtualService("a", { hosts: [hostA], gateways: ["dual"], destination: "httpbin-a", prefixes: ["/status"] }),
      virtualService("b", { hosts: [hostB], gateways: ["dual"], destination: "httpbin-b", prefixes: ["/headers"] }),
    );
    await using world = await gateway({
      config: { "site.yaml": config, "backends.yaml": backends },
      edge,
      ports: [80],
    });
    const ask = (host: string, path: string) => curl("-H", `Host: ${host}`, world.url(80, path));
    expect((await ask(hostA, "/status/418")).status).toBe(418);
    expect((await ask(hostA, "/headers")).status).toBe(404);
    expect((await ask(hostB, "/status/418")).status).toBe(404);
    const { status, body } = await ask(hostB, "/headers");
    expect(status).toBe(200);
    const { headers } = JSON.parse(body) as { headers: Record<string, string> };
    expect(headers).toMatchObject({
      Host: hostB,
      "X-Envoy-Decorator-Operation": "httpbin-b.default.svc.cluster.local:8000/headers*",
      "X-Envoy-Internal": "true",
      "X-Forwarded-Proto": "http",
      "X-B3-Sampled": "1",
    });
    expect(headers["X-Request-Id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers["X-B3-Traceid"]).toBe(headers["X-B3-Spanid"]);
  });

  test("several hosts with their own certificates: SNI picks certificate and routes", async () => {
    const certA = await authority.issue({ commonName: "a", dnsNames: [hostA] });
    const certB = await authority.issue({ commonName: "b", dnsNames: [hostB] });
    const config = documents(
      gatewayResource("dual-tls", [
        httpsServer([hostA], { mode: "SIMPLE", credentialName: "cert-a" }, { name: "https-httpbina" }),
        httpsServer([hostB], { mode: "SIMPLE", credentialName: "cert-b" }, { name: "https-httpbinb" }),
      ]),
      virtualService("a", { hosts: [hostA], gateways: ["dual-tls"], destination: "httpbin-a", prefixes: ["/status"] }),
      virtualService("b", { hosts: [hostB], gateways: ["dual-tls"], destination: "httpbin-b", prefixes: ["/headers"] }),
      tlsSecret("cert-a", certA),
      tlsSecret("cert-b", certB),
    );
    await using world = await gateway({
      config: { "site.yaml": config, "backends.yaml": backends },
      edge,
      ports: [443],
    });
    expect(world.engine(443)).toBe(expected);
    const port = world.port(443);
    // curl checks that the certificate is the host's own: each is issued for one name only.
    const ask = (host: string, path: string, ...more: string[]) =>
      curl(
        "--cacert",
        `${files}/ca.crt`,
        "--resolve",
        `${host}:${port}:127.0.0.1`,
        ...more,
        `https://${host}:${port}${path}`,
      );
    expect(await ask(hostA, "/status/418")).toMatchObject({ code: 0, status: 418 });
    expect(await ask(hostA, "/headers")).toMatchObject({ code: 0, status: 404 });
    expect(await ask(hostB, "/headers")).toMatchObject({ code: 0, status: 200 });
    expect(await ask(hostB, "/status/418")).toMatchObject({ code: 0, status: 404 });
    const misdirected = await ask(hostA, "/headers", "-H", `Host: ${hostB}`);
    expect(misdirected.status).toBe(421);
    expect(misdirected.headers["server"]).toBe("sluice");
    const unknown = await curl("-k", "--resolve", `c.example:${port}:127.0.0.1`, `https://c.example:${port}/`);
    expect(unknown.code).not.toBe(0);
  });
});
