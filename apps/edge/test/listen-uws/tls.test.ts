// SNI picks the chain: which certificate is shown, which handler runs, and who is refused.
import { createAuthority } from "../../../../packages/demo/src/certificates.ts";
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { SecretResource } from "@sluice/core/model";
import { atPort, isUwsMissing, type Running, secretOf, start, tlsSpec } from "./engine.ts";
import { get, hasResponses, type TlsClientOptions, tlsClient } from "./raw-client.ts";

const versions = ["TLSv1.2", "TLSv1.3"] as const;
let certificates: Record<"a" | "b" | "c", SecretResource>;

beforeAll(async () => {
  const authority = await createAuthority({ commonName: "test" });
  const issue = async (commonName: string): Promise<SecretResource> => {
    const { chainPem, keyPem } = await authority.issue({ commonName, dnsNames: [commonName] });
    return secretOf(`kubernetes://default/${commonName}`, chainPem, keyPem);
  };
  certificates = { a: await issue("a"), b: await issue("b"), c: await issue("c") };
});

async function connectTo(world: Running, options: TlsClientOptions) {
  const result = await tlsClient(world.port, options);
  if (result instanceof Error) throw result;
  return result;
}

describe.skipIf(isUwsMissing).each(versions)("%s", (version) => {
  it("shows the chain's certificate and runs its handler, whatever the Host header says", async () => {
    using world = await start(
      tlsSpec({
        first: { names: ["a.example"], certificate: certificates.a },
        second: { names: ["b.example", "c.example"], certificate: certificates.b },
      }),
    );
    const { client, commonName } = await connectTo(world, { servername: "c.example", version });
    client.send(get("/", "X-Host: a.example\r\n"));
    await client.until(hasResponses(1, "hello"));
    client.socket.destroy();
    expect(commonName).toBe("b");
    const { downstream, scheme } = world.handler.seen[0]?.exchange ?? {};
    expect(downstream).toMatchObject({
      filterChain: "second",
      sni: "c.example",
      scheme: "https",
      localPort: world.port,
    });
    expect(scheme).toBe("https");
  });

  it.each(["", "unknown.example", "sub.a.example"])("without a default chain refuses SNI '%s'", async (servername) => {
    using world = await start(tlsSpec({ first: { names: ["a.example"], certificate: certificates.a } }));
    expect(await tlsClient(world.port, { servername, version })).toBeInstanceOf(Error);
    expect(world.handler.seen).toEqual([]);
  });

  it.each(["", "unknown.example"])("gives SNI '%s' to the default chain", async (servername) => {
    using world = await start(
      tlsSpec({
        first: { names: ["a.example"], certificate: certificates.a },
        rest: { names: [], certificate: certificates.b },
      }),
    );
    const { client, commonName } = await connectTo(world, { servername, version });
    client.send(get("/"));
    await client.until(hasResponses(1, "hello"));
    client.socket.destroy();
    expect(commonName).toBe("b");
    expect(world.handler.seen[0]?.exchange.downstream).toMatchObject({ filterChain: "rest", sni: null });
  });

  const broken: [claim: string, make: () => SecretResource | null][] = [
    ["is missing", () => null],
    ["is invalid", () => ({ ...certificates.b, status: "invalid" })],
    ["is garbage", () => secretOf("kubernetes://default/garbage", "no certificate", "no key")],
    [
      "does not belong to its key",
      () =>
        secretOf(
          "kubernetes://default/mixed",
          certificates.a.certificateChain ?? "",
          certificates.b.privateKey?.reveal() ?? "",
        ),
    ],
  ];
  it.each(broken)("refuses a name whose certificate %s, although a default chain exists", async (_claim, make) => {
    using world = await start(
      tlsSpec({
        first: { names: ["a.example"], certificate: certificates.a },
        closed: { names: ["closed.example"], certificate: make() },
        rest: { names: [], certificate: certificates.c },
      }),
    );
    expect(await tlsClient(world.port, { servername: "closed.example", version })).toBeInstanceOf(Error);
    const other = await connectTo(world, { servername: "a.example", version });
    other.client.socket.destroy();
    expect(other.commonName).toBe("a");
  });

  it("refuses everyone else when it is the default certificate that is missing", async () => {
    using world = await start(
      tlsSpec({
        first: { names: ["a.example"], certificate: certificates.a },
        rest: { names: [], certificate: null },
      }),
    );
    expect(await tlsClient(world.port, { servername: "", version })).toBeInstanceOf(Error);
    const { client } = await connectTo(world, { servername: "a.example", version });
    client.socket.destroy();
  });

  it("offers no protocol by ALPN, so that clients which offer h2 too speak HTTP/1.1", async () => {
    using world = await start(tlsSpec({ first: { names: [], certificate: certificates.a } }));
    const { client } = await connectTo(world, { version, alpn: ["h2", "http/1.1"] });
    client.send(get("/"));
    await client.until(hasResponses(1, "hello"));
    client.socket.destroy();
  });
});

describe.skipIf(isUwsMissing)("a TLS 1.3 session", () => {
  it.each([
    ["a name without a certificate", "closed.example", "closed no_certificate"],
    ["no chain", "unknown.example", "null no_filter_chain"],
  ])("of one name does not open %s, where no certificate is needed to resume", async (_claim, servername, reported) => {
    using world = await start(
      tlsSpec({
        first: { names: ["a.example"], certificate: certificates.a },
        closed: { names: ["closed.example"], certificate: null },
      }),
    );
    const first = await connectTo(world, { servername: "a.example", version: "TLSv1.3" });
    first.client.send(get("/"));
    const session = await first.session;
    first.client.socket.destroy();
    const second = await connectTo(world, { servername, version: "TLSv1.3", session });
    // The engine lets it in: this is what the refusing handler is for.
    expect(second.isResumed).toBe(true);
    second.client.send(get("/secret"));
    expect(await second.client.all()).toBe("");
    expect(world.handler.seen.map(({ exchange }) => exchange.target)).not.toContain("/secret");
    expect(world.observer.failedHandshakes).toEqual([reported]);
  });
});

describe.skipIf(isUwsMissing)("TLS 1.1", () => {
  it("is refused", async () => {
    using world = await start(tlsSpec({ first: { names: [], certificate: certificates.a } }));
    const { connect } = await import("node:tls");
    const socket = connect({
      port: world.port,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
    expect(error).toBeInstanceOf(Error);
  });
});

describe.skipIf(isUwsMissing)("the cipher suite", () => {
  it.each([
    ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"],
    ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"],
  ])("is the client's choice: %s", async (preferred, other) => {
    using world = await start(tlsSpec({ first: { names: [], certificate: certificates.a } }));
    const { connect } = await import("node:tls");
    const options = { ciphers: `${preferred}:${other}`, minVersion: "TLSv1.3", rejectUnauthorized: false } as const;
    const socket = connect({ port: world.port, host: "127.0.0.1", ...options });
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    expect(socket.getCipher().name).toBe(preferred);
    socket.destroy();
  });
});

describe.skipIf(isUwsMissing)("an update", () => {
  const commonNameAt = async (world: Running, servername: string): Promise<string> => {
    const result = await tlsClient(world.port, { servername });
    if (result instanceof Error) return "refused";
    result.client.socket.destroy();
    return result.commonName;
  };

  it("adds, changes and removes names; connections that are open keep what they have", async () => {
    using world = await start(
      tlsSpec({
        first: { names: ["a.example"], certificate: certificates.a },
        second: { names: ["b.example"], certificate: certificates.a },
      }),
    );
    const open = await connectTo(world, { servername: "b.example" });
    const steps: [Parameters<typeof tlsSpec>[0], Record<string, string>][] = [
      [
        {
          first: { names: ["a.example"], certificate: certificates.a },
          second: { names: ["b.example"], certificate: certificates.a },
          third: { names: ["c.example"], certificate: certificates.c },
        },
        { "a.example": "a", "b.example": "a", "c.example": "c", "d.example": "refused" },
      ],
      [
        {
          first: { names: ["a.example"], certificate: certificates.a },
          second: { names: ["b.example"], certificate: certificates.b },
          third: { names: ["c.example"], certificate: null },
        },
        { "a.example": "a", "b.example": "b", "c.example": "refused" },
      ],
      [
        {
          rest: { names: [], certificate: certificates.c },
          first: { names: ["a.example"], certificate: certificates.a },
        },
        { "a.example": "a", "b.example": "c", "": "c" },
      ],
    ];
    for (const [chains, expected] of steps) {
      world.bound.update(atPort(tlsSpec(chains), world.port));
      // The old socket still takes a share of new connections until then.
      // eslint-disable-next-line no-await-in-loop
      await world.bound.updated();
      // eslint-disable-next-line no-await-in-loop
      for (const [name, commonName] of Object.entries(expected))
        expect(await commonNameAt(world, name)).toBe(commonName);
      open.client.send(get("/"));
      // eslint-disable-next-line no-await-in-loop
      await world.handler.next("request");
      // The handlers of a removed name must never be another name's: the engine frees them under open connections.
      expect(world.handler.seen.at(-1)?.exchange.downstream).toMatchObject({ filterChain: "second", sni: "b.example" });
    }
    open.client.socket.destroy();
  });

  it("of a certificate breaks no connection that is just being made", async () => {
    const withCertificate = (certificate: SecretResource) => tlsSpec({ only: { names: ["a.example"], certificate } });
    using world = await start(withCertificate(certificates.a));
    let isOver = false;
    const failures: Error[] = [];
    const client = async () => {
      while (!isOver) {
        // eslint-disable-next-line no-await-in-loop
        const result = await tlsClient(world.port, { servername: "a.example", version: "TLSv1.3" });
        if (result instanceof Error) failures.push(result);
        else result.client.socket.destroy();
      }
    };
    const clients = Array.from({ length: 4 }, client);
    for (let change = 0; change < 20; change++) {
      world.bound.update(atPort(withCertificate(certificates[change % 2 === 0 ? "b" : "a"]), world.port));
      // eslint-disable-next-line no-await-in-loop
      await world.bound.updated();
    }
    isOver = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
  });

  it("of nothing changes nothing", async () => {
    const spec = tlsSpec({ first: { names: ["a.example"], certificate: certificates.a } });
    using world = await start(spec);
    const before = await connectTo(world, { servername: "a.example", version: "TLSv1.3" });
    before.client.send(get("/"));
    const session = await before.session;
    before.client.socket.destroy();
    world.bound.update(atPort(spec, world.port));
    await world.bound.updated();
    // A new app would have new ticket keys.
    const after = await connectTo(world, { servername: "a.example", version: "TLSv1.3", session });
    after.client.socket.destroy();
    expect(after.isResumed).toBe(true);
  });

  it("never hands this engine what it would serve wrongly", async () => {
    const spec = tlsSpec({ first: { names: ["a.example"], certificate: certificates.a } });
    using world = await start(spec);
    const clientValidation = {
      trustedCa: null,
      trustedCaFile: null,
      crl: null,
      crlFile: null,
      subjectAltNames: [],
      spkiHashes: [],
      certificateHashes: [],
      acceptUntrusted: false,
    };
    const wrong: [Partial<Parameters<typeof tlsSpec>[0][string]>, RegExp][] = [
      [{ tls: { mode: "MUTUAL", clientValidation } }, /client certificates/],
      [{ tls: { mode: "MUTUAL" } }, /client certificates/],
      [{ tls: { clientValidation } }, /client certificates/],
      [{ tls: { alpn: ["h2", "http/1.1"] } }, /HTTP\/2/],
      [{ tls: { minVersion: "TLSv1.3" } }, /TLS versions/],
      [{ tls: { cipherSuites: ["ECDHE-RSA-AES128-GCM-SHA256"] } }, /cipher suites/],
      [{ names: ["*.example"] }, /wildcard server name/],
      [{ names: ["a.b.c.d.e.f.g.h.i.j.example"] }, /labels/],
    ];
    for (const [change, message] of wrong) {
      const bad = tlsSpec({ first: { names: ["a.example"], certificate: certificates.a, ...change } });
      expect(() => world.bound.update(bad)).toThrow(message);
      // eslint-disable-next-line no-await-in-loop
      await expect(start(bad)).rejects.toThrow(message);
    }
  });
});

describe.skipIf(isUwsMissing)("private keys", () => {
  it("are nowhere in the file system afterwards", async () => {
    using world = await start(tlsSpec({ first: { names: ["a.example"], certificate: certificates.a } }));
    expect(world.port).toBeGreaterThan(0);
    const left = ["/dev/shm", "/tmp"]
      .flatMap((directory) => readdirSync(directory))
      .filter((name) => /^sluice-.{6}$/.test(name));
    expect(left).toEqual([]);
  });
});
