// openssl s_client at ports of either engine: the server name picks the chain and with it certificate, versions and client authority; what passes
// through is answered by its backend; a session opens the door it was made at and no other.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  documents,
  gatewayResource,
  httpsServer,
  secret,
  service,
  serviceOn,
  tlsSecret,
  virtualService,
} from "../support/config.ts";
import { engineLanes } from "../support/engines.ts";
import { gateway, type Gateway } from "../support/gateway.ts";
import { getRequest, openssl, opensslVersion, tlsVersions } from "../support/tls-client.ts";

const authority = await createAuthority({ commonName: "servers" });
const clients = await createAuthority({ commonName: "clients" });
const names = ["a.example", "b.example", "mutual.example", "modern.example", "old.example", "*.wild.example"];
const issued = await Promise.all(names.map((name) => authority.issue({ commonName: name, dnsNames: [name] })));
const client = await clients.issue({ commonName: "client", client: true, dnsNames: ["client.example"] });
const passed = await authority.issue({ commonName: "passed", dnsNames: ["pass.example"] });
const httpbin = await startHttpbin();
const behind = createServer({ cert: passed.chainPem, key: passed.keyPem }, (_request, response) =>
  response.end("I am behind"),
);
behind.listen(0, "127.0.0.1");
await once(behind, "listening");
let files = "";

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), "sluice-story-openssl-"));
  await writeFile(join(files, "ca.pem"), authority.certificatePem);
  await writeFile(join(files, "client.crt"), client.chainPem);
  await writeFile(join(files, "client.key"), client.keyPem);
});

afterAll(async () => {
  behind.closeAllConnections();
  behind.close();
  await httpbin.close();
  await rm(files, { recursive: true });
});

const credential = (name: string) => name.replaceAll(/[.*]/g, "-").replace(/^-+/, "");
const simple = (name: string, more = {}) =>
  httpsServer([name], { mode: "SIMPLE", credentialName: credential(name), ...more });
const port8443 = (name: string) =>
  httpsServer([name], { mode: "SIMPLE", credentialName: credential(name) }, { port: 8443 });
const config = documents(
  gatewayResource("many", [
    simple("a.example"),
    simple("modern.example", { minProtocolVersion: "TLSV1_3" }),
    simple("old.example", { maxProtocolVersion: "TLSV1_2" }),
    simple("*.wild.example"),
    httpsServer(["mutual.example"], {
      mode: "MUTUAL",
      credentialName: "mutual-example",
      subjectAltNames: ["client.example"],
    }),
    { port: { number: 443, name: "pass", protocol: "TLS" }, hosts: ["pass.example"], tls: { mode: "PASSTHROUGH" } },
  ]),
  gatewayResource("few", [port8443("a.example"), port8443("b.example")]),
  virtualService("all", { hosts: ["*"], gateways: ["many", "few"], destination: "httpbin" }),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "pass" },
    spec: {
      hosts: ["pass.example"],
      gateways: ["many"],
      tls: [
        {
          match: [{ sniHosts: ["pass.example"] }],
          route: [{ destination: { host: "behind", port: { number: 443 } } }],
        },
      ],
    },
  },
  ...names.flatMap((name, index) => {
    const own = issued[index];
    if (own === undefined) return [];
    if (name !== "mutual.example") return [tlsSecret(credential(name), own)];
    const data = { "tls.crt": own.chainPem, "tls.key": own.keyPem, "ca.crt": clients.certificatePem };
    return [secret(credential(name), data)];
  }),
  ...service("httpbin", httpbin.port),
  ...serviceOn("behind", { name: "tls", port: 443 }, [(behind.address() as AddressInfo).port]),
);

describe.each(engineLanes)("$name:", ({ edge, expected }) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, edge: { workers: 1, ...edge }, ports: [443, 8443] });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** What openssl prints for one request; a server that is not who was asked for ends it. */
  const ask = (port: number, name: string, ...args: readonly string[]) => {
    const verified = [
      "-servername",
      name,
      "-CAfile",
      join(files, "ca.pem"),
      "-verify_return_error",
      "-verify_hostname",
      name,
    ];
    return openssl(world.port(port), [...verified, ...args], getRequest(name, "/status/204"));
  };

  test("each port is on the engine it was chosen for", () => {
    expect([world.engine(443), world.engine(8443)]).toEqual(["node", expected]);
  });

  describe.each(tlsVersions)("%s", (version) => {
    test.each([
      [443, "a.example", "a.example"],
      [443, "x.wild.example", "*.wild.example"],
      [8443, "a.example", "a.example"],
      [8443, "b.example", "b.example"],
    ])(
      "port %i, %s: the server name picks the certificate, and the request is answered",
      async (port, name, subject) => {
        const output = await ask(port, name, opensslVersion[version]);
        expect(output).toContain(`subject=CN = ${subject}\n`);
        expect(output).toContain("Verify return code: 0 (ok)");
        expect(output).toContain("HTTP/1.1 204 No Content");
      },
    );

    test("what passes through is answered by its backend, with the backend's certificate", async () => {
      const output = await ask(443, "pass.example", opensslVersion[version]);
      expect(output).toContain("subject=CN = passed\n");
      expect(output).toContain("I am behind");
    });

    test("with -cert and -key the guarded host is open, without it is closed", async () => {
      const shown = ["-cert", join(files, "client.crt"), "-key", join(files, "client.key")];
      expect(await ask(443, "mutual.example", opensslVersion[version], ...shown)).toContain("HTTP/1.1 204");
      expect(await ask(443, "mutual.example", opensslVersion[version])).not.toContain("HTTP/1.1");
    });

    test("a session resumes at the host it was made at, and opens no other", async () => {
      for (const [port, from, to] of [
        [443, "a.example", "x.wild.example"],
        [8443, "a.example", "b.example"],
      ] as const) {
        const session = join(files, `${expected}-${version}-${port}`);
        expect(await ask(port, from, opensslVersion[version], "-sess_out", session)).toContain("HTTP/1.1 204");
        expect(await ask(port, from, opensslVersion[version], "-sess_in", session)).toMatch(/Reused, TLSv1\.[23]/);
        // On uWebSockets.js the open hosts of a port share their tickets, where they open nothing that is not open (docs/adr/0001).
        if (world.engine(port) === "uws") continue;
        const crossed = await ask(port, to, opensslVersion[version], "-sess_in", session);
        // Served with a handshake of its own, or not at all; never on the strength of the other door's session.
        expect(crossed).not.toMatch(/Reused, [^]*HTTP\/1\.1 /);
      }
    });
  });

  test.each([
    ["modern.example", "-tls1_2"],
    ["old.example", "-tls1_3"],
    ["a.example", "-tls1_1"],
    ["a.example", "-tls1"],
  ])("%s takes no client that insists on %s", async (name, version) => {
    const output = await ask(443, name, version, "-cipher", "DEFAULT@SECLEVEL=0");
    expect(output).toContain("alert protocol version");
    expect(output).not.toContain("HTTP/1.1");
  });

  test("a name that nobody has is closed in the handshake, whatever the version", async () => {
    for (const version of tlsVersions) {
      expect(await ask(443, "nobody.example", opensslVersion[version])).toContain("no peer certificate available");
    }
  });
});
