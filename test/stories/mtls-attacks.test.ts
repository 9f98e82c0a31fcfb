// Attacks on hosts that demand client certificates. Each must end before a byte of its request reaches a backend, over both versions
// of TLS and on both engines; beside them stands what must still work, so that a door that is simply nailed shut fails as well.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Identity, listedUri, unvouchedClients, wronglyNamedClients } from "../support/client-identities.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { createMtlsWorld, ports } from "../support/mtls-world.ts";
import {
  askOverHttp2,
  askOverTls,
  clientOf,
  getRequest,
  KeptConnection,
  openssl,
  opensslVersion,
  tlsVersions,
} from "../support/tls-client.ts";

const world = await createMtlsWorld();
const { authority, backend, listed, unlisted, pinned, revoked } = world;
const wronglyNamed = await wronglyNamedClients(authority);
const unvouched = await unvouchedClients(authority);
const nobody: ConnectionOptions = {};
const attackPath = "/anything/attack";
const honestPath = "/anything/honest";
let files = "";

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), "sluice-story-mtls-"));
  await writeFile(join(files, "client.crt"), listed.cert);
  await writeFile(join(files, "client.key"), listed.key);
});

afterAll(async () => {
  await backend.close();
  await rm(files, { recursive: true });
});

/** Attacks that reached the backend, in this test. */
const breaches = (): string[] => attacksAmong(backend.requests.slice(requestsBefore));
const attacksAmong = (requests: typeof backend.requests): string[] =>
  requests.map(({ url }) => url).filter((url) => url.startsWith(attackPath));
let requestsBefore = 0;

beforeEach(() => {
  requestsBefore = backend.requests.length;
});

describe.each(engineLanes)("$name", ({ edge, expected }) => {
  let site: Gateway;

  beforeAll(async () => {
    const declared = Object.values(ports);
    site = await gateway({ config: { "site.yaml": world.config }, edge, ports: declared });
  });

  afterAll(() => site[Symbol.asyncDispose]());

  test("hosts with certificates are served by node, open ones by the engine of the lane", () => {
    const engines = [ports.named, ports.withDefault, ports.open, ports.clear].map((port) => site.engine(port));
    expect(engines).toEqual(["node", "node", expected, expected]);
  });

  describe.each(tlsVersions)("%s", (version) => {
    const client = (servername: string, identity: ConnectionOptions): ConnectionOptions =>
      clientOf(version, { servername, ...identity });

    /** An HTTP request for `host`, on a connection for `servername` of a client that shows `identity`. */
    const ask = (servername: string, identity: ConnectionOptions = nobody, host = servername) =>
      askOverTls(site.port(ports.named), client(servername, identity), getRequest(host, honestPath));

    const attack = (servername: string, identity: ConnectionOptions = nobody, host = servername) =>
      askOverTls(site.port(ports.named), client(servername, identity), getRequest(host, attackPath));

    async function expectClosed(attempt: Promise<{ received: string }>): Promise<void> {
      expect((await attempt).received).toBe("");
      expect(breaches()).toEqual([]);
    }

    async function expectStatus(status: number, attempt: Promise<{ status: number }>): Promise<void> {
      expect((await attempt).status).toBe(status);
      expect(breaches()).toEqual([]);
    }

    describe("who is let in", () => {
      test.each<[string, string, Identity | ConnectionOptions]>([
        ["a listed client", "mutual.example", listed],
        ["any client of the authority where no names are listed", "anyone.example", unlisted],
        ["a listed client where certificates are optional", "optional.example", listed],
        ["a client without certificate where certificates are optional", "optional.example", nobody],
        ["the client whose key is pinned", "pinned.example", pinned],
        ["a client that is not on the revocation list", "revoking.example", listed],
        ["a listed client under an open wildcard", "secret.wild.example", listed],
        ["anyone at an open host", "simple.example", nobody],
        ["a listed client that writes the server name in upper case", "MUTUAL.EXAMPLE", listed],
        ["a listed client that writes the server name with a dot at its end", "mutual.example.", listed],
      ])("%s", async (_who, host, identity) => {
        expect(await ask(host, identity)).toMatchObject({ status: 200, protocol: version });
      });

      test("a listed client that speaks HTTP/2", async () => {
        const options = client("mutual.example", listed);
        const headers = { ":path": honestPath, ":authority": "mutual.example" };
        expect(await askOverHttp2(site.port(ports.named), options, headers)).toBe(200);
      });

      test.each([
        ["open.example", 200],
        ["open.example.", 200],
        // uWebSockets.js compares letter for letter (docs/adr/0001): whoever shouts is refused there, never misled.
        ["OPEN.EXAMPLE", expected === "uws" ? 0 : 200],
      ])("at the open port %s gets %i", async (name, status) => {
        const request = getRequest("open.example", honestPath);
        const answer = await askOverTls(site.port(ports.open), client(name, nobody), request);
        expect(answer.status).toBe(status);
      });

      test("curl and openssl with a listed certificate", async () => {
        const port = site.port(ports.named);
        const credentials = ["--cert", `${files}/client.crt`, "--key", `${files}/client.key`];
        const versions = version === "TLSv1.2" ? ["--tls-max", "1.2"] : ["--tlsv1.3"];
        const resolve = ["--resolve", `mutual.example:${port}:127.0.0.1`];
        const url = `https://mutual.example:${port}${honestPath}`;
        expect(await curl("-k", ...versions, ...credentials, ...resolve, url)).toMatchObject({ code: 0, status: 200 });
        const args = ["-cert", `${files}/client.crt`, "-key", `${files}/client.key`, "-servername", "mutual.example"];
        const output = await openssl(
          port,
          [opensslVersion[version], ...args],
          getRequest("mutual.example", honestPath),
        );
        expect(output).toContain("HTTP/1.1 200 OK");
      });

      test("a listed client that resumes its session, and is still known to the backend", async () => {
        const first = await ask("mutual.example", listed);
        const again = await ask("mutual.example", { session: first.session });
        expect(again).toMatchObject({ status: 200, isResumed: true });
        expect(again.received).toContain(`URI=${listedUri}`);
      });
    });

    describe("a client is refused that shows", () => {
      test.each(["mutual.example", "anyone.example", "pinned.example", "revoking.example", "secret.wild.example"])(
        "no certificate, at %s",
        async (host) => {
          await expectClosed(attack(host));
          expect(await askOverHttp2(site.port(ports.named), client(host, nobody), { ":path": attackPath })).toBe(0);
          expect(breaches()).toEqual([]);
        },
      );

      test.each([...wronglyNamed])("%s", async (_claim, identity) => {
        await expectClosed(attack("mutual.example", identity));
        await expectClosed(attack("optional.example", identity));
        await expectStatus(200, ask("anyone.example", identity));
      });

      // Where no names are listed nothing but the certificate itself can give it away.
      test.each([...unvouched])("%s", async (_claim, identity) => {
        await expectClosed(attack("anyone.example", identity));
        await expectClosed(attack("optional.example", identity));
      });

      test("a key that is not pinned", async () => {
        await expectClosed(attack("pinned.example", listed));
      });

      test("a revoked certificate", async () => {
        await expectClosed(attack("revoking.example", revoked));
      });

      test("a good certificate where the authority is missing, while its neighbours serve", async () => {
        await expectClosed(attack("no-ca.example", listed));
        await expectClosed(attack("no-ca.example"));
      });

      test("nothing, at a host whose chain an open one has nearly the name of", async () => {
        await expectStatus(200, ask("confusing.example"));
        await expectClosed(attack("confused.example"));
        await expectStatus(200, ask("confused.example", listed));
        await expectStatus(421, attack("confusing.example", nobody, "confused.example"));
      });

      test("nothing, to openssl and curl", async () => {
        const port = site.port(ports.named);
        const args = [opensslVersion[version], "-servername", "mutual.example"];
        expect(await openssl(port, args, getRequest("mutual.example", attackPath))).not.toContain("HTTP/1.1");
        const versions = version === "TLSv1.2" ? ["--tls-max", "1.2"] : ["--tlsv1.3"];
        const resolve = ["--resolve", `mutual.example:${port}:127.0.0.1`];
        const refused = await curl("-k", ...versions, ...resolve, `https://mutual.example:${port}${attackPath}`);
        expect(refused.code).not.toBe(0);
        expect(breaches()).toEqual([]);
      });
    });

    describe("a session does not open another door:", () => {
      test.each<[string, string, ConnectionOptions]>([
        ["of an open host", "simple.example", nobody],
        ["of an open wildcard", "a.wild.example", nobody],
        ["of a host where certificates are optional", "optional.example", nobody],
        ["of a host that lists no names", "anyone.example", unlisted],
      ])("one %s", async (_claim, host, identity) => {
        const { session, status } = await ask(host, identity);
        expect([status, session === undefined]).toEqual([200, false]);
        await expectClosed(attack("mutual.example", { session }));
        await expectClosed(attack("secret.wild.example", { session }));
      });

      test("one of the open port", async () => {
        const options = client("open.example", nobody);
        const request = getRequest("open.example", honestPath);
        const { session, status } = await askOverTls(site.port(ports.open), options, request);
        expect([status, session === undefined]).toEqual([200, false]);
        await expectClosed(attack("mutual.example", { session }));
      });

      test("one of the same host on another port", async () => {
        const { session } = await ask("mutual.example", listed);
        const options = client("guarded.example", { session });
        await expectClosed(
          askOverTls(site.port(ports.withDefault), options, getRequest("guarded.example", attackPath)),
        );
      });

      test("one that a refused client got on its way out", async () => {
        const { session } = await attack("mutual.example", unlisted);
        await expectClosed(attack("mutual.example", { ...unlisted, session }));
        const optional = await attack("optional.example", unlisted);
        await expectClosed(attack("optional.example", { ...unlisted, session: optional.session }));
      });

      test("one that openssl keeps in a file", async () => {
        const port = site.port(ports.named);
        const session = join(files, `session-${version}-${expected}`);
        const common = [opensslVersion[version], "-servername"];
        const open = getRequest("simple.example", honestPath);
        const made = await openssl(port, [...common, "simple.example", "-sess_out", session], open);
        expect(made).toContain("HTTP/1.1 200 OK");
        const request = getRequest("mutual.example", attackPath);
        const output = await openssl(port, [...common, "mutual.example", "-sess_in", session], request);
        expect(output).not.toContain("HTTP/1.1");
        expect(breaches()).toEqual([]);
      });
    });

    describe("the server name decides, however it is written:", () => {
      test.each(["MUTUAL.EXAMPLE", "Mutual.Example", "mutual.example.", "MUTUAL.EXAMPLE."])(
        "%s demands a certificate",
        async (name) => {
          await expectClosed(attack(name, nobody, "mutual.example"));
          await expectClosed(attack(name, unlisted, "mutual.example"));
          const args = [opensslVersion[version], "-servername", name];
          const request = getRequest("mutual.example", attackPath);
          expect(await openssl(site.port(ports.named), args, request)).not.toContain("HTTP/1.1");
        },
      );

      test.each(["GUARDED.EXAMPLE", "guarded.example."])("%s does not fall through to the default", async (name) => {
        const request = getRequest("guarded.example", attackPath);
        await expectClosed(askOverTls(site.port(ports.withDefault), client(name, nobody), request));
      });

      test.each(["mutual.example..", ".mutual.example", "mutual..example", "nowhere.example"])(
        "%s is no server's name",
        (name) => expectClosed(attack(name, nobody, "mutual.example")),
      );

      test("none reaches nobody, with a good certificate as well", async () => {
        await expectClosed(attack("", nobody, "mutual.example"));
        await expectClosed(attack("", listed, "mutual.example"));
        const args = [opensslVersion[version], "-noservername"];
        const request = getRequest("mutual.example", attackPath);
        expect(await openssl(site.port(ports.named), args, request)).not.toContain("HTTP/1.1");
        expect(breaches()).toEqual([]);
      });

      test("none reaches the default where there is one, and no guarded host through it", async () => {
        const port = site.port(ports.withDefault);
        const ofHost = (host: string, path: string) => askOverTls(port, client("", nobody), getRequest(host, path));
        await expectStatus(200, ofHost("anything.example", honestPath));
        await expectStatus(421, ofHost("guarded.example", attackPath));
      });
    });

    describe("on the connection of an open host", () => {
      test.each([
        "mutual.example",
        "MUTUAL.Example",
        "mutual.example.",
        "mutual.example:443",
        "mutual.example.:443",
        "secret.wild.example",
        "anyone.example",
        "no-ca.example",
      ])("the Host %s is 421", (host) => expectStatus(421, attack("simple.example", nobody, host)));

      test.each(["mutual.example..", "mutual.example:443:443", "mutual.example,simple.example", "[mutual.example]"])(
        "the Host %s reaches nobody",
        async (host) => {
          const { status } = await attack("simple.example", nobody, host);
          expect([400, 404, 421]).toContain(status);
          expect(breaches()).toEqual([]);
        },
      );

      test("a target in absolute form is the host that counts", async () => {
        const request = (target: string, host: string, path: string) =>
          askOverTls(
            site.port(ports.named),
            client("simple.example", nobody),
            getRequest(host, `https://${target}${path}`),
          );
        await expectStatus(421, request("mutual.example", "simple.example", attackPath));
        await expectStatus(421, request("mutual.example:443", "simple.example", attackPath));
        const { received } = await request("simple.example", "mutual.example", honestPath);
        expect(received).toMatch(/"Host": ?"simple\.example"/);
      });

      test("two Hosts are 400", async () => {
        const request = getRequest("simple.example", attackPath, "Host: mutual.example");
        await expectStatus(400, askOverTls(site.port(ports.named), client("simple.example", nobody), request));
      });

      test.each<[string, Readonly<Record<string, string>>, number]>([
        ["the :authority of a guarded host", { ":authority": "mutual.example" }, 421],
        ["the :authority of a guarded host in upper case", { ":authority": "MUTUAL.EXAMPLE." }, 421],
        ["the host of a guarded host instead of :authority", { host: "mutual.example" }, 421],
        ["a host that is not the :authority", { ":authority": "simple.example", host: "mutual.example" }, 400],
      ])("HTTP/2 with %s is refused", async (_claim, headers, status) => {
        const port = site.port(ports.named);
        const options = client("simple.example", nobody);
        expect(await askOverHttp2(port, options, { ":path": attackPath, ...headers })).toBe(status);
        expect(breaches()).toEqual([]);
      });

      test("a wildcard that covers a guarded host is 421 for it", () =>
        expectStatus(421, attack("a.wild.example", nobody, "secret.wild.example")));

      test("of the open port a guarded host is not there, and another open one is 421", async () => {
        const request = (host: string) =>
          askOverTls(site.port(ports.open), client("open.example", nobody), getRequest(host, attackPath));
        await expectStatus(404, request("mutual.example"));
        await expectStatus(421, request("open-too.example"));
      });
    });

    test.each([
      ["without certificate, of a host where they are optional", "optional.example", nobody],
      ["of a client that only another host accepts", "anyone.example", unlisted],
      ["of a client that both hosts accept", "anyone.example", listed],
    ])("on a connection %s a guarded host is 421", (_claim, servername, identity) =>
      expectStatus(421, attack(servername, identity, "mutual.example")),
    );

    test("no early data is taken from a session", async () => {
      const port = site.port(ports.named);
      const session = join(files, `early-${version}-${expected}`);
      await writeFile(join(files, "early"), getRequest("mutual.example", attackPath));
      const credentials = ["-cert", `${files}/client.crt`, "-key", `${files}/client.key`];
      const common = [opensslVersion[version], "-servername", "mutual.example", ...credentials];
      const request = getRequest("mutual.example", honestPath);
      expect(await openssl(port, [...common, "-sess_out", session], request)).toContain("HTTP/1.1 200 OK");
      const early = ["-sess_in", session, ...(version === "TLSv1.3" ? ["-early_data", `${files}/early`] : [])];
      const output = await openssl(port, [...common, ...early], request);
      expect(output).toContain("Reused");
      expect(output).not.toContain("Early data was accepted");
      expect(breaches()).toEqual([]);
    });

    test("what a client says of its certificate in a trailer or over HTTP/2 never reaches a backend", async () => {
      const before = backend.requests.length;
      const body = "0\r\nX-Forwarded-Client-Cert: Hash=forged\r\n\r\n";
      const head = ["Transfer-Encoding: chunked", "Trailer: X-Forwarded-Client-Cert"];
      const request = getRequest("simple.example", honestPath, ...head).replace("GET", "POST") + body;
      const port = site.port(ports.named);
      const options = client("simple.example", nobody);
      await expectStatus(200, askOverTls(port, options, request));
      const headers = { ":authority": "simple.example", ":path": honestPath, "x-forwarded-client-cert": "Hash=forged" };
      expect(await askOverHttp2(port, options, headers)).toBe(200);
      const received = backend.requests.slice(before).flatMap(({ rawHeaders }) => rawHeaders);
      expect(received.filter((text) => /forged|client-cert/i.test(text))).toEqual([]);
    });

    test("what a client says of its certificate itself never reaches a backend", async () => {
      const forged = ["X-Forwarded-Client-Cert: URI=spiffe://forged", "x-forwarded-client-cert: Hash=forged"];
      const nominated = ["Connection: close, x-forwarded-client-cert", ...forged];
      const places: [number, string, ConnectionOptions][] = [
        [ports.named, "simple.example", nobody],
        [ports.named, "optional.example", nobody],
        [ports.named, "mutual.example", listed],
        [ports.open, "open.example", nobody],
      ];
      for (const [port, host, identity] of places) {
        const before = backend.requests.length;
        const request = getRequest(host, honestPath, ...nominated);
        const { status } = await askOverTls(site.port(port), client(host, identity), request);
        const received = backend.requests.slice(before).flatMap(({ rawHeaders }) => rawHeaders);
        expect([host, status, received.filter((text) => text.includes("forged"))]).toEqual([host, 200, []]);
        const own = received.filter((name) => name.toLowerCase() === "x-forwarded-client-cert");
        expect(own).toHaveLength(identity === nobody ? 0 : 1);
      }
    });
  });

  test("a certificate cannot be changed in the middle of a connection of TLS 1.2", async () => {
    const options = clientOf("TLSv1.2", { servername: "optional.example" });
    using connection = await KeptConnection.open(site.port(ports.named), options);
    expect(await connection.ask("optional.example", honestPath)).toBe(200);
    connection.renegotiate();
    await connection.closed();
    expect(await connection.ask("optional.example", attackPath)).toBe(0);
    expect(breaches()).toEqual([]);
  });

  test("cleartext on a TLS port is not read as a request", async () => {
    for (const port of [ports.named, ports.withDefault, ports.open]) {
      const answer = await sayInClear(site.port(port), getRequest("mutual.example", attackPath));
      expect([port, answer]).toEqual([port, ""]);
    }
    expect(breaches()).toEqual([]);
  });

  test("over cleartext HTTP no one has a certificate, whatever they say", async () => {
    const before = backend.requests.length;
    const forged = ["-H", "X-Forwarded-Client-Cert: Hash=forged", "-H", "X-Forwarded-Proto: https"];
    const { status } = await curl("-H", "Host: open.example", ...forged, site.url(ports.clear, honestPath));
    const text = backend.requests.slice(before).flatMap(({ rawHeaders }) => rawHeaders);
    expect([status, text.includes("Hash=forged"), text.includes("https")]).toEqual([200, false, false]);
  });

  test("in the end no attack has reached the backend", async () => {
    expect(attacksAmong(backend.requests)).toEqual([]);
  });
});

/** What a server answers to bytes that are not TLS. */
function sayInClear(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(text));
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (received += chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
  });
}
