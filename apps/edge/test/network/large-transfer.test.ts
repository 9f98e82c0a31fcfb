import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { reset } from "../../src/network/relay.ts";
import { closed, openTcp, readUntil } from "../listen-node/support.ts";
import { clusterTo, forwardChain, NetworkWorld, Upstream } from "./world.ts";

const mebibyte = 1024 * 1024;
const piece = randomBytes(mebibyte);
const pieces = 200;

/**
 * Half of what passes: this one process is both ends as well, and its garbage is collected when V8 likes. What a worker by itself may grow
 * is the story's (test/stories/tcp.test.ts).
 */
const maxGrowthBytes = pieces * mebibyte;

async function send(socket: Socket, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (!socket.write(piece)) await once(socket, "drain");
  }
  socket.end();
}

async function digest(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  socket.on("data", (chunk) => hash.update(chunk));
  await once(socket, "end");
  return hash.digest("hex");
}

const expected = (() => {
  const hash = createHash("sha256");
  for (let i = 0; i < pieces; i++) hash.update(piece);
  return hash.digest("hex");
})();

function world(upstream: Upstream) {
  const cluster = clusterTo(upstream);
  return NetworkWorld.start({ clusters: [cluster], chains: [forwardChain([cluster])] });
}

/** The most that resident memory grew while `work` went on. */
async function growthDuring(work: Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss() - before)), 5);
  await work;
  clearInterval(timer);
  return most;
}

test("200 MiB go each way at once, whole, in bounded memory", async () => {
  await using upstream = await Upstream.listen();
  await using gateway = await world(upstream);
  const client = await openTcp(gateway.port);
  client.allowHalfOpen = true;
  const server = await upstream.socket();
  const digests = Promise.all([digest(client), digest(server)]);
  const growth = await growthDuring(Promise.all([send(client, pieces), send(server, pieces), digests]));
  expect(await digests).toEqual([expected, expected]);
  expect(growth).toBeLessThan(maxGrowthBytes);
  expect(gateway.count("istio_tcp_sent_bytes_total")).toBe(pieces * mebibyte);
  expect(gateway.count("istio_tcp_received_bytes_total")).toBe(pieces * mebibyte);
});

describe("a slow reader stops its own sender and nobody else's", () => {
  /** Resolves when `value` has not changed over many turns in which it could have. */
  async function settled(value: () => number): Promise<number> {
    for (let last = -1, same = 0; ;) {
      const now = value();
      same = now === last ? same + 1 : 0;
      last = now;
      if (same === 20 && now > 0) return now;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  test("at the client's side", async () => {
    await using upstream = await Upstream.listen();
    await using gateway = await world(upstream);
    const slow = await openTcp(gateway.port);
    slow.pause();
    const server = await upstream.socket();
    const sending = send(server, pieces);
    const held = await settled(() => gateway.count("istio_tcp_sent_bytes_total"));
    // The kernel's socket buffers hold some MiB; what passes Sluice stops with them.
    expect(held).toBeLessThan(32 * mebibyte);

    const quick = await openTcp(gateway.port);
    (await upstream.socket(1)).write("at once");
    expect(await readUntil(quick, "at once")).toBe("at once");
    quick.destroy();

    expect(await digest(slow.resume())).toBe(expected);
    await sending;
    await closed(slow);
  });

  test("at the upstream's side", async () => {
    await using upstream = await Upstream.listen(true);
    await using gateway = await world(upstream);
    const client = await openTcp(gateway.port);
    const server = await upstream.socket();
    const sending = send(client, pieces);
    const held = await settled(() => gateway.count("istio_tcp_received_bytes_total"));
    expect(held).toBeLessThan(32 * mebibyte);
    expect(await digest(server.resume())).toBe(expected);
    await sending;
    server.end();
    await closed(client.resume());
  });
});

test.each([
  ["reads", false],
  ["has not read for a while", true],
])(
  "an upstream killed in the middle of a large answer to a client that %s is a reset, never an end",
  async (_how, isSlow) => {
    await using upstream = await Upstream.listen();
    await using gateway = await world(upstream);
    const client = await openTcp(gateway.port);
    let received = 0;
    let hasEnded = false;
    client.allowHalfOpen = true;
    client.on("data", (chunk) => (received += chunk.length));
    // This client is told of an end too when a reset comes with data before it; see network/relay.ts.
    client.on("end", () => client.write(Buffer.alloc(0), (error) => (hasEnded = !error)));
    const server = await upstream.socket();
    void send(server, pieces).catch(() => undefined);
    await expect.poll(() => received).toBeGreaterThan(10 * mebibyte);
    if (isSlow) client.pause();
    reset(server);
    await closed(server);
    await closed(client.resume());
    expect(hasEnded).toBe(false);
    expect(received).toBeLessThan(pieces * mebibyte);
    expect(await gateway.logLine()).toContain('"- - -" 0 UC ');
    expect(gateway.count("istio_tcp_connections_closed_total", { response_flags: "UC" })).toBe(1);
  },
);
