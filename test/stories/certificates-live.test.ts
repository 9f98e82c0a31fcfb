// Certificates that change while clients are there, from files and from Secrets, on both engines: no connection is dropped, new ones get
// the new certificate, and one that cannot be used changes nothing but a finding.
import { connect } from "node:tls";
import { createAuthority, type Issued } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpsServer, service, tlsSecret, virtualService } from "../support/config.ts";
import { engineLanes } from "../support/engines.ts";
import { eventually } from "../support/eventually.ts";
import { type FreshLoad, startFreshConnections } from "../support/fresh-connections.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { clientOf, KeptConnection } from "../support/tls-client.ts";

const day = 86_400_000;
const sources = ["file", "secret"] as const;
type Source = (typeof sources)[number];

const backend = await startHttpbin({ name: "app" });
afterAll(() => backend.close());
const authority = await createAuthority({ commonName: "site ca" });

function issue(host: string, options: { notBefore?: Date; notAfter?: Date } = {}): Promise<Issued> {
  return authority.issue({ commonName: host, dnsNames: [host], ...options });
}

const hostOf = (source: Source) => `${source}.example`;
const files = { serverCertificate: "config/tls.crt", privateKey: "config/tls.key" };
const site = documents(
  gatewayResource("main", [
    httpsServer([hostOf("file")], { mode: "SIMPLE", ...files }),
    httpsServer([hostOf("secret")], { mode: "SIMPLE", credentialName: "site" }),
  ]),
  virtualService("all", { hosts: ["*"], gateways: ["main"], destination: "app" }),
  ...service("app", backend.port),
);

/** The serial number of the certificate that a new connection gets. */
function servedSerial(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", servername: host, ca: authority.certificatePem });
    socket.on("error", reject);
    socket.on("secureConnect", () => {
      resolve(socket.getPeerCertificate().serialNumber.toLowerCase());
      socket.destroy();
    });
  });
}

describe.each(engineLanes)("$name", ({ edge, expected }) => {
  let world: Gateway;
  const current = new Map<Source, Issued>();

  beforeAll(async () => {
    for (const source of sources) current.set(source, await issue(hostOf(source)));
    const [file, secret] = [current.get("file")!, current.get("secret")!];
    const config = { "site.yaml": site, "secret.yaml": documents(tlsSecret("site", secret)) };
    const pair = { "tls.key": file.keyPem, "tls.crt": file.chainPem };
    world = await gateway({
      config: { ...config, ...pair },
      edge: { ...edge, accessLog: { path: "off" } },
      ports: [443],
    });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const serialOf = (issued: Issued) => issued.serialNumberHex.toLowerCase();

  /** Puts the pair where the host's certificate comes from. */
  async function install(source: Source, issued: Pick<Issued, "chainPem" | "keyPem">): Promise<void> {
    if (source === "secret") return world.write({ "secret.yaml": documents(tlsSecret("site", issued)) });
    await world.write({ "tls.key": issued.keyPem, "tls.crt": issued.chainPem });
  }

  describe.each(sources)("from a %s", (source) => {
    const host = hostOf(source);
    let load: FreshLoad;

    beforeEach(() => {
      const port = world.port(443);
      load = startFreshConnections({ port, host, path: "/get", clients: 2, authorityPem: authority.certificatePem });
    });

    afterEach(async () => {
      const { failedRequests, brokenConnections, requests, output } = await load.stop();
      expect([failedRequests, brokenConnections], output).toEqual([0, 0]);
      expect(requests).toBeGreaterThan(5);
    });

    test("a renewed pair is what new connections get, and those that are open stay open", async () => {
      expect(world.engine(443)).toBe(expected);
      using kept = await KeptConnection.open(world.port(443), clientOf("TLSv1.3", { servername: host }));
      expect(await kept.ask(host, "/get")).toBe(200);
      for (let round = 0; round < 3; round++) {
        const renewed = await issue(host, { notAfter: new Date(Date.now() + (100 + round) * day) });
        await install(source, renewed);
        await eventually("the renewed certificate", async () =>
          (await servedSerial(world.port(443), host)) === serialOf(renewed) ? true : null,
        );
        current.set(source, renewed);
        expect(await kept.ask(host, "/get")).toBe(200);
      }
      expect(await world.metrics()).toMatch(/sluice_certificate_days_left\{[^}]*kind="server"[^}]*\} 10[12]/);
    });

    const unusable: [string, string, () => Promise<Pick<Issued, "chainPem" | "keyPem">>][] = [
      [
        "a key of another certificate",
        "invalid-certificate",
        async () => ({ ...(await issue(host)), keyPem: (await issue(host)).keyPem }),
      ],
      [
        "half a certificate",
        "invalid-certificate",
        async () => ({ keyPem: current.get(source)!.keyPem, chainPem: current.get(source)!.chainPem.slice(0, 200) }),
      ],
      [
        "a time that has not come",
        "certificate-not-yet-valid",
        () => issue(host, { notBefore: new Date(Date.now() + day) }),
      ],
    ];

    test.each(unusable)(
      "a pair with %s is refused: the old one stays, and a finding says why",
      async (_, code, make) => {
        const before = await servedSerial(world.port(443), host);
        await install(source, await make());
        await eventually("the finding", async () => {
          const { lastAttempt } = await world.status();
          return lastAttempt?.diagnostics.some((one) => one["code"] === code) === true ? true : null;
        });
        expect(await servedSerial(world.port(443), host)).toBe(before);
        await install(source, current.get(source)!);
        await eventually("no finding", async () =>
          (await world.status()).lastAttempt?.diagnostics.length === 0 ? true : null,
        );
      },
    );
  });

  test("one that has ended goes on being served, and nobody can say that they were not told", async () => {
    const expired = await issue(hostOf("secret"), {
      notBefore: new Date(Date.now() - 9 * day),
      notAfter: new Date(Date.now() - day),
    });
    const told = world.edge.stderr.nextJson<{ msg?: string; level: number }>(({ msg = "" }) =>
      msg.includes("HAS EXPIRED"),
    );
    await install("secret", expired);
    expect((await told).level).toBe(50);
    const status = (await world.status()) as unknown as {
      certificates: { name: string; stage: string; daysLeft: number }[];
    };
    expect(status.certificates[0]).toMatchObject({ name: "kubernetes://istio-system/site", stage: "expired" });
    expect(status.certificates[0]?.daysLeft).toBeLessThan(0);
  });
});
