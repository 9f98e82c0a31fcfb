// Edges on other machines: who is let in, who is not, and what neither a slow edge nor a stranger can do to the others.
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { encodeFrame, maxGreetingBytes } from "@sluice/core/wire";
import { createAuthority, type IssueOptions } from "@sluice/demo/certificates";
import { describe, expect, it } from "vitest";
import { FakeEdge } from "./support/fake-edge.ts";
import { Published } from "./support/published.ts";
import { tableOf } from "./support/tables.ts";

const day = 86_400_000;
const daysFromNow = (days: number) => new Date(Date.now() + days * day);
const names = (count: number) => Array.from({ length: count }, (_, index) => `cluster-${index}`);
const hello = { type: "hello", protocol: 2, edgeId: "edge-1", productVersion: "0", version: null } as const;

describe("an edge of another machine", () => {
  it("whose certificate holds its id is served as one of this machine is", async () => {
    await using world = await Published.start();
    world.publish(tableOf("a"));
    using edge = await world.join("edge-1");
    expect((await edge.accept()).version).toBe(tableOf("a").version);
    await world.untilEvent((event) => event.startsWith("ack edge-1"));
    expect(world.publisher.edges).toMatchObject([
      { id: "edge-1", address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
    ]);
  });

  it("may be named by a URI of a pattern", async () => {
    await using world = await Published.start({ allowedIdentities: ["spiffe://tier.example/edge/{id}"] });
    using edge = new FakeEdge(world.dial(await world.identity({ uris: ["spiffe://tier.example/edge/edge-1"] })));
    await edge.greet("edge-1");
  });

  it.each<[string, Partial<IssueOptions>, string?]>([
    ["another edge", { dnsNames: ["edge-2"] }],
    ["nobody", {}],
    ["its id as common name only", { commonName: "edge-1" }],
    ["every edge, by a wildcard", { dnsNames: ["*.tier.example"] }, "edge-1.tier.example"],
    ["a wildcard, and the edge calls itself so", { dnsNames: ["*.tier.example"] }, "*.tier.example"],
    ["a longer name that begins with its id", { dnsNames: ["edge-1.evil.example"] }],
    ["its id as a URI", { uris: ["dns:edge-1"] }],
    ["an empty id", { dnsNames: ["edge-1"] }, ""],
    ["an id with a line feed", { dnsNames: ["edge-1"] }, "edge-1\nforged"],
  ])("whose certificate is that of %s is told so, and cut off", async (_claim, options, id = "edge-1") => {
    await using world = await Published.start();
    world.publish(tableOf("a"));
    using edge = new FakeEdge(world.dial(await world.identity(options)));
    edge.say({ ...hello, edgeId: id });
    const { reason } = await edge.expect("refused");
    expect(reason).toMatch(/its certificate|is no id/);
    await edge.closed;
    expect(edge.unread).toBe(0);
    await world.untilEvent((event) => event === `cut : ${reason}`);
    expect(world.events).toHaveLength(1);
  });

  it("cannot add a step to the URI of its pattern", async () => {
    await using world = await Published.start({ allowedIdentities: ["spiffe://tier.example/{id}"] });
    using edge = new FakeEdge(world.dial(await world.identity({ uris: ["spiffe://tier.example/edge/1"] })));
    edge.say({ ...hello, edgeId: "edge/1" });
    expect((await edge.expect("refused")).reason).toContain("is no id");
  });
});

describe("a stranger", () => {
  /** Each with a hello at once: whoever read it would have answered. */
  const strangers: [string, (world: Published) => Promise<Parameters<Published["dial"]>[0]>][] = [
    ["no certificate", () => Promise.resolve({})],
    [
      "a certificate of an authority that only has the same name",
      async (world) => world.identity({ dnsNames: ["edge-1"] }, await createAuthority({ commonName: "machines" })),
    ],
    [
      "an expired certificate",
      (world) => world.identity({ dnsNames: ["edge-1"], notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }),
    ],
    [
      "a certificate whose time has not come",
      (world) => world.identity({ dnsNames: ["edge-1"], notBefore: daysFromNow(1) }),
    ],
    ["the certificate of a server", (world) => world.identity({ dnsNames: ["edge-1"], client: false })],
    [
      "a good certificate over TLS 1.2",
      async (world) => ({ ...(await world.identity({ dnsNames: ["edge-1"] })), maxVersion: "TLSv1.2" }),
    ],
  ];

  it.each(strangers)("with %s is refused before a frame is read", async (_claim, options) => {
    await using world = await Published.start();
    world.publish(tableOf("a"));
    using edge = new FakeEdge(world.dial(await options(world)));
    edge.say(hello);
    await edge.closed;
    expect(edge.unread).toBe(0);
    expect(await world.untilEvent((event) => event.startsWith("stranger"))).toMatch(/^stranger: [A-Z_]+$/);
    expect(world.events).toHaveLength(1);
  });

  it("without TLS is refused, whatever it says", async () => {
    await using world = await Published.start();
    for (const bytes of [encodeFrame(hello), Buffer.from("GET / HTTP/1.1\r\n\r\n")]) {
      const socket = connectTcp(world.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.end(bytes);
      await once(socket, "close");
    }
    await world.untilEvent((event) => event.startsWith("stranger"));
    expect(world.publisher.edges).toEqual([]);
  });

  it("that does not go on with its handshake is closed, and so is what is too many of one address", async () => {
    await using world = await Published.start({ limits: { maxStrangersOfAddress: 3, handshakeTimeoutMs: 300 } });
    const sockets = Array.from({ length: 4 }, () => connectTcp(world.port, "127.0.0.1").on("error", () => {}));
    const closed = sockets.map((socket) => once(socket, "close"));
    await world.untilEvent((event) => event.includes("too many connections"));
    await Promise.all(closed);
    // Their places are free again.
    using edge = await world.join("edge-1");
    expect(edge.unread).toBe(0);
  });

  it("leaves no trace: after more of them than may be at a time an edge still comes in", async () => {
    await using world = await Published.start({ limits: { maxStrangersOfAddress: 3 } });
    for (let count = 0; count < 5; count++) {
      using edge = new FakeEdge(world.dial({}));
      await edge.closed;
    }
    using edge = await world.join("edge-1");
    expect(edge.unread).toBe(0);
    expect(world.events.filter((event) => event.includes("too many"))).toEqual([]);
  });

  it("with a certificate is not given more room for its first words than a hello takes", async () => {
    await using world = await Published.start();
    using edge = new FakeEdge(world.dial(await world.identity({ dnsNames: ["edge-1"] })));
    edge.say({ ...hello, productVersion: "x".repeat(maxGreetingBytes) });
    await edge.closed;
    expect(await world.untilEvent(() => true)).toMatch(/^cut : a frame of \d+ bytes; the limit is 4096$/);
  });
});

describe("certificates", () => {
  it("are renewed without touching the streams that are there", async () => {
    await using world = await Published.start();
    using old = await world.join("edge-1");
    await world.writeCredentials([world.authority], { commonName: "renewed" });
    const socket = world.dial(await world.identity({ dnsNames: ["edge-2"] }));
    using edge = new FakeEdge(socket);
    await edge.greet("edge-2");
    expect(socket.getPeerCertificate().subject.CN).toBe("renewed");
    world.publish(tableOf("a"));
    for (const one of [old, edge]) await one.accept();
    expect(world.events.filter((event) => event.startsWith("cut"))).toEqual([]);
  });

  it.each<[string, (world: Published) => Promise<void>, RegExp]>([
    ["a key of another certificate", async (world) => world.write("tls.key", (await world.identity({})).key), /belong/],
    ["half a file", (world) => world.write("tls.crt", "-----BEGIN CERTIFICATE-----\nabc"), /cut off/],
    ["no authority", (world) => world.write("ca.crt", ""), /no PEM block/],
    [
      "a certificate whose time has not come",
      (world) => world.writeCredentials([world.authority], { notBefore: daysFromNow(1) }),
      /not valid before/,
    ],
  ])("that became %s are not used: those before are, and it is said", async (_claim, damage, problem) => {
    await using world = await Published.start();
    await damage(world);
    using edge = await world.join("edge-1");
    expect(edge.unread).toBe(0);
    expect(await world.untilEvent((event) => event.startsWith("credentials"))).toMatch(problem);
    await world.writeCredentials();
    using later = await world.join("edge-2");
    expect(later.unread).toBe(0);
    expect(world.events.findLast((event) => event.startsWith("credentials"))).toBe("credentials: null");
  });

  it("of a withdrawn authority are asked for again, those of the others with them", async () => {
    await using world = await Published.start({ limits: { lookEveryMs: 20 } });
    using edge = await world.join("edge-1");
    const next = await createAuthority({ commonName: "next" });
    // One is added: nobody notices.
    await world.writeCredentials([world.authority, next]);
    await world.untilEvent((event) => event === "credentials: null");
    world.publish(tableOf("a"));
    await edge.accept();
    await world.writeCredentials([next]);
    await edge.closed;
    expect(await world.untilEvent((event) => event.startsWith("cut edge-1"))).toContain("an authority was withdrawn");
    using again = new FakeEdge(world.dial(await world.identity({ dnsNames: ["edge-1"] })));
    await again.closed;
    using renewed = new FakeEdge(world.dial(await world.identity({ dnsNames: ["edge-1"] }, next)));
    await renewed.greet("edge-1");
  });
});

describe("a stream", () => {
  it("does not outlive the certificate that opened it", async () => {
    await using world = await Published.start({ limits: { lookEveryMs: 20 } });
    // Certificates count in seconds.
    const notAfter = new Date(Date.now() + 3_000);
    using edge = new FakeEdge(world.dial(await world.identity({ dnsNames: ["edge-1"], notAfter })));
    await edge.greet("edge-1");
    using other = await world.join("edge-2");
    await edge.closed;
    expect(Date.now()).toBeGreaterThan(notAfter.getTime() - 1_000);
    expect(await world.untilEvent((event) => event.startsWith("cut"))).toBe("cut edge-1: its certificate has expired");
    expect(other.unread).toBe(0);
  });
});

describe("a ctrl", () => {
  it("whose certificates cannot be used does not start without them", async () => {
    await using world = await Published.start();
    await world.write("tls.key", "half");
    expect(() => world.createPublisher()).toThrow(/^ctrl\.publish\.tls: .*tls\.crt: the private key cannot be parsed$/);
  });

  it("that ends waits for the edges of its machine, not for those of others", async () => {
    await using world = await Published.start();
    using remote = await world.join("remote");
    await world.publisher.untilNoEdges();
    expect(remote.unread).toBe(0);
    using local = await FakeEdge.greet(world.socketPath, "local");
    const waiting = world.publisher.untilNoEdges().then(() => "over");
    expect(await Promise.race([waiting, Promise.resolve("waiting")])).toBe("waiting");
    local.socket.destroy();
    expect(await waiting).toBe("over");
  });
});

describe("an edge that never answers", () => {
  it("does not keep the others waiting, and is cut off with the reason", async () => {
    await using world = await Published.start({ timing: { answerTimeoutMs: 300 } });
    using silent = await world.join("silent");
    using quick = await world.join("quick");
    for (const name of ["a", "b"]) {
      world.publish(tableOf(name));
      expect((await quick.accept()).version).toBe(tableOf(name).version);
    }
    await silent.closed;
    await world.untilEvent(
      (event) => event === `cut silent: no answer to version ${tableOf("a").version} within 0.3 s`,
    );
    expect(world.publisher.edges.map(({ id }) => id)).toEqual(["quick"]);
  });

  it("and does not even say that it is alive is cut off without a table under way", async () => {
    await using world = await Published.start({ timing: { aliveEveryMs: 20, silenceLimitMs: 200 } });
    using silent = await world.join("silent");
    await silent.closed;
    expect(await world.untilEvent((event) => event.startsWith("cut"))).toBe("cut silent: silent for 0.2 s");
  });
});

describe("a nack", () => {
  it("of an edge on another machine takes the version back on this one, with the reason", async () => {
    await using world = await Published.start();
    using remote = await world.join("remote");
    using local = await FakeEdge.greet(world.socketPath, "local");
    world.publish(tableOf("good"));
    for (const edge of [remote, local]) await edge.accept();
    await world.untilEvent((event) => event === `ack local ${tableOf("good").version}`);
    world.publish(tableOf("bad"));
    await local.accept();
    await remote.expect("commit");
    remote.nack(tableOf("bad").version, "no");
    for (const edge of [remote, local]) expect((await edge.accept()).version).toBe(tableOf("good").version);
    await world.untilEvent((event) => event === "rollback remote, worker 1: no");
  });
});

describe("what crosses the wire", () => {
  it("is what changed: one of a thousand clusters costs less than one in 250 of the table", async () => {
    await using world = await Published.start();
    using edge = await world.join("edge-1");
    world.publish(tableOf(...names(1000)));
    await edge.accept();
    await world.untilEvent((event) => event.startsWith("ack"));
    const [{ bytesSent: before, lastCommit: whole }] = world.publisher.edges as [(typeof world.publisher.edges)[0]];
    world.publish(tableOf(...names(999), "changed"));
    const commit = await edge.accept();
    const [{ bytesSent, lastCommit }] = world.publisher.edges as [(typeof world.publisher.edges)[0]];
    expect(commit).toMatchObject({ put: [{ name: "changed" }], remove: [{ name: "cluster-999" }] });
    expect(whole).toMatchObject({ resources: 1000 });
    expect(lastCommit).toMatchObject({ version: commit.version, resources: 1 });
    expect(bytesSent - before).toBe(lastCommit?.bytes);
    expect((lastCommit?.bytes ?? 0) * 250).toBeLessThan(whole?.bytes ?? 0);
  });

  it("is only the difference for an edge that comes back with a version that is known", async () => {
    await using world = await Published.start();
    world.publish(tableOf(...names(10)));
    const base = tableOf(...names(10)).version;
    using first = await world.join("edge-1");
    await first.accept();
    world.publish(tableOf(...names(11)));
    using back = new FakeEdge(world.dial(await world.identity({ dnsNames: ["edge-2"] })));
    await back.greet("edge-2", base);
    expect(await back.expect("commit")).toMatchObject({ base, put: [{ name: "cluster-10" }], remove: [] });
  });

  it("is the resources that it lacks for an edge that comes with a version that is not", async () => {
    await using world = await Published.start();
    world.publish(tableOf("a", "b"));
    const [held = ""] = tableOf("a").resources.keys();
    using edge = await FakeEdge.greet(world.socketPath, "edge-1", [held]);
    const commit = await edge.expect("commit");
    expect(commit).toMatchObject({ base: null, put: [{ name: "a" }, { name: "b" }] });
    expect(commit.resources).toHaveLength(1);
  });
});
