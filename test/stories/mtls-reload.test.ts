// Demands on client certificates that change while connections are open and sessions are kept: what was let in yesterday is not let in
// today, from the moment the new table is live; and what is broken or missing closes its own door only.
import { createAuthority, type Issued } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../support/client-identities.ts";
import {
  documents,
  gatewayResource,
  httpServer,
  httpsServer,
  secret,
  service,
  virtualService,
} from "../support/config.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { askOverTls, clientOf, getRequest, Http2Client, KeptConnection, tlsVersions } from "../support/tls-client.ts";

const backend = await startHttpbin();
const authority = await createAuthority({ commonName: "clients" });
const servers = await createAuthority({ commonName: "servers" });
const server = await servers.issue({ commonName: "gateway", dnsNames: ["*.example"] });
const impostor = await createAuthority({ commonName: "clients" });
const renewed = await servers.issue({ commonName: "renewed", dnsNames: ["*.example"] });
const alice = await issueClient("alice.example");
const bob = await issueClient("bob.example");
/** Of an authority that only has the same name. */
const stranger = await issueClient("alice.example", impostor);

async function issueClient(name: string, issuer = authority): Promise<Issued & Identity> {
  const issued = await issuer.issue({ commonName: name, dnsNames: [name], client: true });
  return { ...issued, cert: issued.chainPem, key: issued.keyPem };
}

const attackPath = "/anything/attack";
const honestPath = "/anything/honest";
/** Attacks that reached the backend, in this test. */
const breaches = (): string[] =>
  backend.requests.slice(requestsBefore).flatMap(({ url }) => (url.startsWith(attackPath) ? [url] : []));
let requestsBefore = 0;

const mutual = { mode: "MUTUAL", credentialName: "mutual" };
const routes = documents(
  virtualService("all", { hosts: ["*"], gateways: ["guarded", "open"], destination: "httpbin" }),
  ...service("httpbin", backend.port),
);

/** The guarded port: one host whose demands change, one that is never touched. */
function guarded(tls: Readonly<Record<string, unknown>>): string {
  const annotations = { "sluice.dev/alpn": "h2,http/1.1" };
  const untouched = { mode: "MUTUAL", credentialName: "untouched" };
  const hosts = [httpsServer(["mutual.example"], tls), httpsServer(["untouched.example"], untouched)];
  return documents(gatewayResource("guarded", hosts, annotations));
}

function mutualSecret(data: Readonly<Record<string, string>>, certificate: Issued = server): string {
  return documents(secret("mutual", { ...pairOf(certificate), ...data }));
}

function pairOf({ chainPem, keyPem }: Issued): Record<string, string> {
  return { "tls.crt": chainPem, "tls.key": keyPem };
}

/** The other port: open hosts, with or without one that demands certificates. */
function open(tls: Readonly<Record<string, unknown>>, ...more: ReturnType<typeof httpsServer>[]): string {
  return documents(gatewayResource("open", [httpsServer(["open.example"], tls, { port: 8443 }), ...more]));
}

const simple = { mode: "SIMPLE", credentialName: "untouched" };
const ca = { "ca.crt": authority.certificatePem };
const initial = {
  "routes.yaml": routes,
  "guarded.yaml": guarded(mutual),
  "open.yaml": open(simple),
  "mutual.yaml": mutualSecret(ca),
  "untouched.yaml": documents(secret("untouched", { ...pairOf(server), ...ca })),
};

describe.each(engineLanes)("$name", ({ edge, expected }) => {
  let site: Gateway;
  /** Files that a story changed. */
  let changed: Record<string, string> = {};
  let marks = 0;

  beforeAll(async () => {
    site = await gateway({ config: initial, edge, ports: [443, 8443] });
  });

  afterAll(() => site[Symbol.asyncDispose]());

  beforeEach(() => {
    changed = {};
    requestsBefore = backend.requests.length;
  });

  afterEach(async () => {
    if (Object.keys(changed).length > 0) await site.reload(changed);
    expect(breaches()).toEqual([]);
  });

  test("the port of open hosts is served by the engine of the lane, the guarded one by node", () => {
    expect([site.engine(8443), site.engine(443)]).toEqual([expected, "node"]);
  });

  /** Changes one file; the story's end changes it back. */
  async function reload(name: keyof typeof initial, text: string): Promise<void> {
    changed = { [name]: initial[name] };
    await site.reload({ [name]: text });
  }

  describe.each(tlsVersions)("%s", (version) => {
    const client = (identity: Partial<Identity> & { session?: Buffer | undefined }, servername = "mutual.example") =>
      clientOf(version, { servername, ...identity });

    const ask = (identity: Parameters<typeof client>[0], servername = "mutual.example", path = honestPath) =>
      askOverTls(site.port(443), client(identity, servername), getRequest(servername, path));

    const attack = (identity: Parameters<typeof client>[0], servername?: string) =>
      ask(identity, servername, attackPath);

    const changes: [string, keyof typeof initial, () => string | Promise<string>][] = [
      ["other names are listed", "guarded.yaml", () => guarded({ ...mutual, subjectAltNames: ["bob.example"] })],
      [
        "another key is pinned",
        "guarded.yaml",
        () => guarded({ ...mutual, verifyCertificateSpki: [bob.spkiSha256Base64] }),
      ],
      [
        "its certificate is revoked",
        "mutual.yaml",
        async () => mutualSecret({ ...ca, "ca.crl": await authority.crl({ revoked: [alice] }) }),
      ],
      ["another authority is trusted", "mutual.yaml", async () => mutualSecret({ "ca.crt": impostor.certificatePem })],
      ["the authority is taken away", "mutual.yaml", () => mutualSecret({})],
    ];

    test.each(changes)(
      "when %s, a client that was let in before is not served any more",
      async (_claim, file, text) => {
        using kept = await KeptConnection.open(site.port(443), client(alice));
        using http2 = new Http2Client(site.port(443), client(alice));
        const headers = { ":authority": "mutual.example", ":path": honestPath };
        expect([await kept.ask("mutual.example", honestPath), await http2.ask(headers)]).toEqual([200, 200]);
        const { session } = await ask(alice);
        expect(await ask({ session })).toMatchObject({ status: 200, isResumed: true });

        await reload(file, await text());
        // Told to come again on a new connection, and refused there.
        expect(await kept.ask("mutual.example", attackPath)).toBe(421);
        await kept.closed();
        expect(await http2.ask({ ...headers, ":path": attackPath })).toBe(421);
        await http2.closed();
        expect((await attack({ session })).received).toBe("");
        expect((await attack({ ...alice, session })).received).toBe("");
        expect((await attack(alice)).received).toBe("");
        expect((await ask(alice, "untouched.example")).status).toBe(200);
      },
    );

    test("a session outlives a new server certificate, because the demand is the same", async () => {
      using kept = await KeptConnection.open(site.port(443), client(alice));
      const { session } = await ask(alice);
      await reload("mutual.yaml", mutualSecret(ca, renewed));
      expect(await kept.ask("mutual.example", honestPath)).toBe(200);
      expect(await ask({ session })).toMatchObject({ status: 200, isResumed: true });
    });

    test("a broken authority or certificate changes nothing: the ones before it stay in force", async () => {
      const half = authority.certificatePem.slice(0, -40);
      const broken = { ...pairOf(renewed), "tls.key": server.keyPem };
      for (const data of [
        { ...pairOf(server), "ca.crt": half },
        { ...broken, ...ca },
      ]) {
        // Told in one file with a route that goes live, so that there is something to wait for.
        const marker = {
          hosts: ["open.example"],
          gateways: ["open"],
          destination: "httpbin",
          prefixes: [`/${marks++}`],
        };
        await reload("mutual.yaml", documents(secret("mutual", data), virtualService("marker", marker)));
        expect((await ask(alice)).status).toBe(200);
        expect((await attack({})).received).toBe("");
        expect((await attack(stranger)).received).toBe("");
      }
    });

    test("a host whose authority is missing refuses everyone until it appears", async () => {
      await reload("guarded.yaml", guarded({ ...mutual, caCertCredentialName: "late" }));
      expect((await attack(alice)).received).toBe("");
      expect((await ask(alice, "untouched.example")).status).toBe(200);
      changed["late.yaml"] = "# taken away\n";
      await site.reload({ "late.yaml": documents(secret("late", ca)) });
      expect((await ask(alice)).status).toBe(200);
      expect((await attack({})).received).toBe("");
    });

    describe("on the port of open hosts", () => {
      const askOpen = (identity: Parameters<typeof client>[0], servername: string, path: string) =>
        askOverTls(site.port(8443), client(identity, servername), getRequest(servername, path));

      test("a host that demands certificates demands them as soon as it is there", async () => {
        const late = httpsServer(["late.example"], { ...mutual, subjectAltNames: ["alice.example"] }, { port: 8443 });
        const { session } = await askOpen({}, "open.example", honestPath);
        expect((await askOpen({}, "late.example", attackPath)).received).toBe("");
        await reload("open.yaml", open(simple, late));
        expect((await askOpen({}, "late.example", attackPath)).received).toBe("");
        expect((await askOpen({ session }, "late.example", attackPath)).received).toBe("");
        expect((await askOpen(bob, "late.example", attackPath)).received).toBe("");
        expect((await askOpen(alice, "late.example", honestPath)).status).toBe(200);
        expect((await askOpen({}, "open.example", honestPath)).status).toBe(200);
        const crossing = getRequest("late.example", attackPath);
        expect((await askOverTls(site.port(8443), client({}, "open.example"), crossing)).status).toBe(421);
      });

      test("a host that is taken out of an open wildcard is not served on connections from before", async () => {
        const everyHost = httpsServer(["*"], simple, { port: 8443, name: "https-all" });
        const late = httpsServer(["late.example"], mutual, { port: 8443 });
        await reload("open.yaml", documents(gatewayResource("open", [everyHost])));
        using kept = await KeptConnection.open(site.port(8443), client({}, "any.example"));
        expect(await kept.ask("late.example", honestPath)).toBe(200);
        await site.reload({ "open.yaml": documents(gatewayResource("open", [everyHost, late])) });
        // Where the port has changed engines the connection is gone, else it is told that it is the wrong one.
        expect([0, 421]).toContain(await kept.ask("late.example", attackPath));
        expect((await askOpen({}, "late.example", attackPath)).received).toBe("");
        expect((await askOpen(alice, "late.example", honestPath)).status).toBe(200);
      });

      test("an open host that now demands certificates serves nobody from before", async () => {
        using kept = await KeptConnection.open(site.port(8443), client({}, "open.example"));
        expect(await kept.ask("open.example", honestPath)).toBe(200);
        const { session } = await askOpen({}, "open.example", honestPath);
        await reload("open.yaml", open(mutual));
        expect([0, 421]).toContain(await kept.ask("open.example", attackPath));
        await kept.closed();
        expect((await askOpen({ session }, "open.example", attackPath)).received).toBe("");
        expect((await askOpen({}, "open.example", attackPath)).received).toBe("");
        expect((await askOpen(alice, "open.example", honestPath)).status).toBe(200);
      });
    });
  });

  test("a connection in clear does not turn into one over TLS when its port does, nor the other way", async () => {
    const port = site.port(8443);
    const options = clientOf("TLSv1.3", { servername: "open.example" });
    const cleartext = documents(gatewayResource("open", [httpServer(["open.example"], { port: 8443 })]));
    using secured = await KeptConnection.open(port, options);
    expect(await secured.ask("open.example", honestPath)).toBe(200);
    await reload("open.yaml", cleartext);
    using clear = await KeptConnection.openInClear(port);
    expect([await secured.ask("open.example", attackPath), await clear.ask("open.example", honestPath)]).toEqual([
      421, 200,
    ]);
    await site.reload({ "open.yaml": initial["open.yaml"] });
    changed = {};
    expect(await clear.ask("open.example", attackPath)).toBe(421);
    await clear.closed();
    const request = getRequest("open.example", honestPath);
    expect((await askOverTls(port, options, request)).status).toBe(200);
  });
});
