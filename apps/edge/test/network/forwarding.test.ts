import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { plainEndpoint } from "@sluice/core/model";
import { encodeProxyHeader } from "../../src/exchange/proxy-header.ts";
import { reset } from "../../src/network/relay.ts";
import { closed, openTcp, readUntil } from "../listen-node/support.ts";
import { startSilentServer } from "./silent-server.ts";
import { clusterTo, forwardChain, limits, NetworkWorld, Upstream } from "./world.ts";

/** A client that keeps its other half when one ends. */
async function openHalf(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

function pair(upstream: Upstream, fields: Parameters<typeof clusterTo>[1] = {}) {
  const cluster = clusterTo(upstream, fields);
  return { clusters: [cluster], chains: [forwardChain([cluster])] };
}

async function readAll(socket: Socket): Promise<string> {
  let received = "";
  socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  await once(socket, "end");
  return received;
}

/** How a socket closed: `ECONNRESET`, or `end` for a proper end. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let how = "closed";
    socket.allowHalfOpen = false;
    socket.on("error", (error: NodeJS.ErrnoException) => (how = error.code ?? error.message));
    socket.on("end", () => (how = "end"));
    socket.on("close", () => resolve(how));
    socket.resume();
  });
}

describe("bytes", () => {
  test("go both ways, also when the server speaks first", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = await openHalf(world.port);
    const server = await upstream.socket();
    server.write("220 ready\r\n");
    expect(await readUntil(client, "\r\n")).toBe("220 ready\r\n");
    client.write("HELO\r\n");
    expect(await readUntil(server, "\r\n")).toBe("HELO\r\n");
    client.destroy();
  });

  test("that come before the upstream stands are kept, and so is the end behind them", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = connect({ port: world.port, host: "127.0.0.1", allowHalfOpen: true });
    client.end("early");
    const server = await upstream.socket();
    expect(await readAll(server)).toBe("early");
    server.end("late");
    expect(await readAll(client)).toBe("late");
  });
});

describe("the end of one half leaves the other open", () => {
  test("the client's at once, without a byte, before the upstream stands", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = connect({ port: world.port, host: "127.0.0.1", allowHalfOpen: true });
    client.end();
    const server = await upstream.socket();
    expect(await readAll(server)).toBe("");
    server.end("all the same");
    expect(await readAll(client)).toBe("all the same");
  });

  test("the client's first", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = await openHalf(world.port);
    const server = await upstream.socket();
    client.end("question");
    expect(await readAll(server)).toBe("question");
    server.write("answer, ");
    await readUntil(client, "answer, ");
    server.end("in two parts");
    expect(await readAll(client)).toBe("in two parts");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "-" })).toBe(1);
  });

  test("the upstream's first", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = await openHalf(world.port);
    const server = await upstream.socket();
    server.end("that is all from me");
    expect(await readAll(client)).toBe("that is all from me");
    client.write("but ");
    await readUntil(server, "but ");
    client.end("not from me");
    expect(await readAll(server)).toBe("not from me");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "-" })).toBe(1);
  });

  test("both at once", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = await openHalf(world.port);
    const server = await upstream.socket();
    const both = Promise.all([readAll(client), readAll(server)]);
    client.end("a");
    server.end("b");
    expect(await both).toEqual(["b", "a"]);
    await expect.poll(() => world.count("sluice_tcp_connections")).toBe(0);
  });
});

describe("a reset on one side is a reset on the other", () => {
  test("the upstream's, in the middle of its answer", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = await openHalf(world.port);
    const server = await upstream.socket();
    server.write("half an ans");
    await readUntil(client, "half an ans");
    const end = endOf(client);
    reset(server);
    expect(await end).toBe("ECONNRESET");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "UC" })).toBe(1);
  });

  test("the client's", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = await openHalf(world.port);
    const server = await upstream.socket();
    client.write("half a que");
    await readUntil(server, "half a que");
    const end = endOf(server);
    reset(client);
    expect(await end).toBe("ECONNRESET");
    await expect.poll(() => world.count("istio_tcp_connections_closed_total", { response_flags: "DC" })).toBe(1);
  });

  test("the client's, after its upstream has said all", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = await openHalf(world.port);
    const server = await upstream.socket();
    server.end("bye");
    expect(await readAll(client)).toBe("bye");
    const end = endOf(server);
    reset(client);
    expect(await end).toBe("ECONNRESET");
  });

  test("the upstream's death reaches a client that has said all", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    const client = await openHalf(world.port);
    const server = await upstream.socket();
    client.end("question");
    await readAll(server);
    const end = endOf(client);
    reset(server);
    expect(await end).not.toBe("end");
    await expect.poll(() => world.count("sluice_tcp_connections")).toBe(0);
  });
});

describe("an upstream that cannot be had closes the connection, is logged and counted", () => {
  const flagged = async (world: NetworkWorld, flag: string): Promise<string> => {
    const client = await openTcp(world.port);
    expect(["end", "ECONNRESET"]).toContain(await endOf(client));
    expect(world.count("istio_tcp_connections_closed_total", { response_flags: flag })).toBe(1);
    expect(world.count("sluice_tcp_connections")).toBe(0);
    const line = await world.logLine();
    expect(line).toContain(`] "- - -" 0 ${flag} - - `);
    return line;
  };

  test("UF: nobody listens there", async () => {
    const upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    await upstream[Symbol.asyncDispose]();
    expect(await flagged(world, "UF")).toContain('"ECONNREFUSED" 0 0 ');
    expect(world.clusters.stats()).toMatchObject([{ connectTotal: 1, connectFailureTotal: 1, openConnections: 0 }]);
  });

  test.runIf(process.platform === "linux")("UF: it does not answer in the connect timeout", async () => {
    await using silent = await startSilentServer();
    const cluster = clusterTo(silent, { connectTimeoutMs: 100 });
    await using world = await NetworkWorld.start({ clusters: [cluster], chains: [forwardChain([cluster])] });
    expect(await flagged(world, "UF")).toMatch(/ "-" 0 0 \d{3,} - /);
    expect(world.clusters.stats()).toMatchObject([{ connectTotal: 1, connectFailureTotal: 1, openConnections: 0 }]);
  });

  test("a client that gives up while the upstream is being connected takes the attempt along", async () => {
    await using silent = await startSilentServer();
    const cluster = clusterTo(silent, { connectTimeoutMs: 60_000 });
    await using world = await NetworkWorld.start({ clusters: [cluster], chains: [forwardChain([cluster])] });
    await openTcp(world.port);
    await expect.poll(() => world.count("sluice_tcp_connections")).toBe(1);
    world.listener.bound.abort();
    await expect.poll(() => world.clusters.stats()[0]?.openConnections).toBe(0);
    expect(await world.logLine()).toContain('"- - -" 0 DC ');
  });

  test("UH: no endpoint is healthy", async () => {
    const cluster = clusterTo(null);
    await using world = await NetworkWorld.start({ clusters: [cluster], chains: [forwardChain([cluster])] });
    expect(await flagged(world, "UH")).toContain(' "-" outbound|9000||echo.default.svc.cluster.local - 127.0.0.1:');
  });

  test("NC: the cluster is not in the table", async () => {
    await using world = await NetworkWorld.start({ clusters: [], chains: [forwardChain([clusterTo(null)])] });
    await flagged(world, "NC");
  });

  test("UF: what TLS to the upstream needs is not there, and nothing goes there in clear", async () => {
    await using upstream = await Upstream.listen();
    const tls = {
      certificate: null,
      trustedCa: "missing",
      crl: null,
      sni: "",
      subjectAltNames: [],
      acceptsUntrusted: false,
    };
    await using world = await NetworkWorld.start(pair(upstream, { tls }));
    expect(await flagged(world, "UF")).toContain('"certificate or CA missing"');
    expect(upstream.sockets).toEqual([]);
  });

  test("UO: the cluster has all the connections it may have", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream, limits({ maxConnections: 1 })));
    const first = await openTcp(world.port);
    const server = await upstream.socket();
    await endOf(await openTcp(world.port));
    expect(await world.logLine()).toContain('"- - -" 0 UO ');
    server.write("first come");
    expect(await readUntil(first, "come")).toBe("first come");
    first.destroy();
  });
});

describe("time", () => {
  test("a connection on which nothing moves is ended after the idle timeout", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream, limits({ idleTimeoutMs: 100 })));
    const client = await openTcp(world.port);
    const server = await upstream.socket();
    await Promise.all([endOf(client), endOf(server)]);
    expect(await world.logLine()).toContain('"- - -" 0 - - tcp_session_idle_timeout "-" 0 0 ');
  });

  test("a half that was ended does not keep the connection from its idle timeout", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream, limits({ idleTimeoutMs: 100 })));
    const client = await openHalf(world.port);
    client.end("and then silence");
    await readAll(await upstream.socket());
    await closed(client.resume());
    expect(await world.logLine()).toContain(" tcp_session_idle_timeout ");
    await expect.poll(() => world.count("sluice_tcp_connections")).toBe(0);
  });

  test("a connection does not outlive its maximal duration, however busy it is", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream, limits({ maxConnectionDurationMs: 150 })));
    const client = await openTcp(world.port);
    const server = await upstream.socket();
    server.pipe(server);
    client.on("data", () => client.write("ping")).write("ping");
    await closed(client);
    expect(await world.logLine()).toContain(" max_connection_duration_reached ");
  });

  test("0 is never, and a year does not overflow the timer", async () => {
    await using upstream = await Upstream.listen();
    const year = 365 * 86_400_000;
    await using world = await NetworkWorld.start(
      pair(upstream, limits({ idleTimeoutMs: 0, maxConnectionDurationMs: year })),
    );
    const client = await openTcp(world.port);
    const server = await upstream.socket();
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.write("still here");
    expect(await readUntil(client, "here")).toBe("still here");
    client.destroy();
  });
});

describe("where to", () => {
  test("clusters are drawn by weight", async () => {
    await using heavy = await Upstream.listen();
    await using light = await Upstream.listen();
    const clusters = [clusterTo(heavy, { name: "heavy" }), clusterTo(light, { name: "light" })];
    const weights = [
      { cluster: "heavy", weight: 90 },
      { cluster: "light", weight: 10 },
    ];
    await using world = await NetworkWorld.start({ clusters, chains: [forwardChain(weights)] });
    for (let i = 0; i < 200; i++) (await openTcp(world.port)).destroy();
    await expect.poll(() => heavy.sockets.length + light.sockets.length).toBe(200);
    // Four standard deviations around the mean of 20.
    expect(light.sockets.length).toBeGreaterThan(2);
    expect(light.sockets.length).toBeLessThan(38);
  });

  test("open connections count as load, so two endpoints share them evenly", async () => {
    await using first = await Upstream.listen();
    await using second = await Upstream.listen();
    const endpoints = [first, second].map(({ port }) => plainEndpoint("127.0.0.1", port));
    const cluster = clusterTo(first, { endpoints });
    await using world = await NetworkWorld.start({ clusters: [cluster], chains: [forwardChain([cluster])] });
    const clients = [];
    for (let i = 0; i < 40; i++) clients.push(await openTcp(world.port));
    await expect.poll(() => first.sockets.length + second.sockets.length).toBe(40);
    expect(Math.abs(first.sockets.length - second.sockets.length)).toBeLessThan(12);
    for (const client of clients) reset(client);
    await expect.poll(() => world.clusters.stats()[0]?.openConnections).toBe(0);
  });
});

describe("a new table", () => {
  test("leaves connections with their upstream and sends new ones to the new one", async () => {
    await using before = await Upstream.listen();
    await using after = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(before));
    const old = await openTcp(world.port);
    const server = await before.socket();
    const next = clusterTo(after, { name: "outbound|9001||echo.default.svc.cluster.local" });
    world.apply({ clusters: [next], chains: [forwardChain([next])] });
    server.write("still yours");
    expect(await readUntil(old, "yours")).toBe("still yours");
    const fresh = await openTcp(world.port);
    (await after.socket()).write("mine");
    expect(await readUntil(fresh, "mine")).toBe("mine");
    expect(before.sockets).toHaveLength(1);
    for (const socket of [old, fresh]) socket.destroy();
  });

  test("without the chain closes what the listener still accepts on it: NR", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream));
    world.swapTable({ clusters: [], chains: [] });
    await endOf(await openTcp(world.port));
    expect(await world.logLine()).toContain('"- - -" 0 NR ');
  });
});

test("a drained listener accepts no more and waits for the connections it has", async () => {
  await using upstream = await Upstream.listen();
  await using world = await NetworkWorld.start(pair(upstream));
  const client = await openHalf(world.port);
  const server = await upstream.socket();
  let isDrained = false;
  const drained = world.listener.bound.drain().then(() => (isDrained = true));
  const refused = connect({ port: world.port, host: "127.0.0.1" });
  const [error] = (await once(refused, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNREFUSED");
  client.end("last words");
  expect(await readAll(server)).toBe("last words");
  expect(isDrained).toBe(false);
  server.end();
  client.resume();
  await drained;
  expect(await world.logLine()).toContain('"- - -" 0 - ');
});

test("an aborted listener resets its upstreams", async () => {
  await using upstream = await Upstream.listen();
  await using world = await NetworkWorld.start(pair(upstream));
  await openTcp(world.port);
  const end = endOf(await upstream.socket());
  world.listener.bound.abort();
  expect(await end).toBe("ECONNRESET");
});

describe("PROXY protocol", () => {
  test.each(["V1", "V2"] as const)("%s is sent to the upstream first, with the client's addresses", async (version) => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start(pair(upstream, { sendsProxyProtocol: version }));
    const client = await openTcp(world.port);
    client.write("payload");
    const header = encodeProxyHeader(
      version,
      { address: "127.0.0.1", port: client.localPort ?? 0 },
      { address: "127.0.0.1", port: world.port },
    );
    expect(await readUntil(await upstream.socket(), "payload")).toBe(`${header.toString("latin1")}payload`);
    expect(world.count("istio_tcp_received_bytes_total")).toBe("payload".length);
    client.destroy();
  });

  test("what one load balancer says is handed to the next, and logged", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start({
      ...pair(upstream, { sendsProxyProtocol: "V1" }),
      listener: { acceptsProxyProtocol: true },
    });
    const header = "PROXY TCP4 203.0.113.9 198.51.100.1 40000 25\r\n";
    const client = await openHalf(world.port);
    client.end(`${header}EHLO\r\n`);
    const server = await upstream.socket();
    expect(await readAll(server)).toBe(`${header}EHLO\r\n`);
    server.end();
    await closed(client.resume());
    expect(await world.logLine()).toContain(" 198.51.100.1:25 203.0.113.9:40000 - -");
  });

  test("a second header is payload", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start({ ...pair(upstream), listener: { acceptsProxyProtocol: true } });
    const client = await openTcp(world.port);
    const forged = "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n";
    client.write(`PROXY TCP4 203.0.113.9 198.51.100.1 40000 25\r\n${forged}`);
    expect(await readUntil(await upstream.socket(), "\r\n")).toBe(forged);
    client.destroy();
  });

  test("without a header no upstream is asked", async () => {
    await using upstream = await Upstream.listen();
    await using world = await NetworkWorld.start({ ...pair(upstream), listener: { acceptsProxyProtocol: true } });
    const client = await openTcp(world.port);
    client.write("EHLO\r\n");
    await endOf(client);
    expect(upstream.sockets).toEqual([]);
    expect(world.listener.handshakeFailures).toEqual([{ filterChain: null, reason: "proxy_protocol_missing" }]);
  });
});

test("a connection is logged as Istio logs one, with its bytes both ways", async () => {
  await using upstream = await Upstream.listen();
  await using world = await NetworkWorld.start(pair(upstream));
  const client = await openHalf(world.port);
  const clientPort = client.localPort;
  client.end("12345");
  const server = await upstream.socket();
  await readAll(server);
  const upstreamLocal = `${server.remoteAddress}:${server.remotePort}`;
  server.end("1234567");
  await closed(client.resume());
  const line = await world.logLine();
  expect(line.replace(/^\[[^\]]+\]/, "[time]").replace(/ 5 7 \d+ /, " 5 7 ms ")).toBe(
    `[time] "- - -" 0 - - - "-" 5 7 ms - "-" "-" "-" "-" "127.0.0.1:${upstream.port}" ` +
      `outbound|9000||echo.default.svc.cluster.local ${upstreamLocal} 127.0.0.1:${world.port} 127.0.0.1:${clientPort} - -`,
  );
  const labels = { destination_service: "echo.default.svc.cluster.local", listener: "0.0.0.0_9000" };
  expect(world.count("istio_tcp_connections_opened_total", labels)).toBe(1);
  expect(world.count("istio_tcp_received_bytes_total", labels)).toBe(5);
  expect(world.count("istio_tcp_sent_bytes_total", labels)).toBe(7);
});
