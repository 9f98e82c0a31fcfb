// TCP routes and PROXY protocol over real processes: bytes, halves, weights, reloads and drains of connections that are not HTTP.
import { once } from "node:events";
import { startHttpbin } from "@sluice/httpbin";
import { describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, service, serviceOn, virtualService } from "../support/config.ts";
import { gateway, type Gateway } from "../support/gateway.ts";
import { clear, talk } from "../support/raw-socket.ts";
import { RawUpstream } from "../support/raw-upstream.ts";

const istio = "networking.istio.io/v1";
const mebibyte = 1024 * 1024;

const tcpServer = { port: { number: 9000, name: "tcp-echo", protocol: "TCP" }, hosts: ["*"] };

/** Sends port 9000 to Services by weight. */
function tcpRoute(...destinations: readonly (readonly [host: string, weight: number])[]) {
  const route = destinations.map(([host, weight]) => ({ destination: { host, port: { number: 9000 } }, weight }));
  const tcp = [{ match: [{ port: 9000 }], route }];
  return {
    apiVersion: istio,
    kind: "VirtualService",
    metadata: { name: "echo" },
    spec: { hosts: ["*"], gateways: ["edge"], tcp },
  };
}

function policy(host: string, trafficPolicy: Readonly<Record<string, unknown>>) {
  return { apiVersion: istio, kind: "DestinationRule", metadata: { name: host }, spec: { host, trafficPolicy } };
}

const tcpService = (name: string, upstream: { readonly port: number }) =>
  serviceOn(name, { name: "tcp-echo", port: 9000 }, [upstream.port]);

function start(config: string, edge: Readonly<Record<string, unknown>> = {}): Promise<Gateway> {
  return gateway({ config: { "site.yaml": config }, ports: [9000], edge });
}

/** Resolves with all that a socket says until its end. */
async function readToEnd(socket: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  await once(socket, "end");
  return text;
}

describe("TCP", () => {
  test("bytes go both ways, the server may speak first, and each half ends by itself", async () => {
    await using upstream = await RawUpstream.echo("echo");
    await using world = await start(
      documents(gatewayResource("edge", [tcpServer]), tcpRoute(["echo", 100]), ...tcpService("echo", upstream)),
    );
    expect(world.engine(9000)).toBe("node");
    expect(await talk(clear(world.port(9000)), ["one ", "two"], { half: true })).toEqual({
      text: "echo\none two",
      end: "closed",
    });
    const line = await world.nextAccessLogLine();
    expect(line).toMatch(
      /\] "- - -" 0 - - - "-" 7 12 \d+ - "-" "-" "-" "-" "127\.0\.0\.1:\d+" outbound\|9000\|\|echo\.default\./,
    );
    const metrics = await world.metrics();
    expect(metrics).toMatch(
      /istio_tcp_connections_opened_total\{[^}]*destination_service="echo\.default\.svc\.cluster\.local"[^}]*\} 1/,
    );
    expect(metrics).toMatch(/istio_tcp_received_bytes_total\{[^}]*\} 7/);
  });

  test("an upstream that is not there closes the connection and is logged as UF", async () => {
    const upstream = await RawUpstream.listen();
    const { port } = upstream;
    await upstream[Symbol.asyncDispose]();
    await using world = await start(
      documents(gatewayResource("edge", [tcpServer]), tcpRoute(["echo", 100]), ...tcpService("echo", { port })),
    );
    expect((await talk(clear(world.port(9000)), "hello")).text).toBe("");
    expect(await world.nextAccessLogLine()).toMatch(/"- - -" 0 UF - - "ECONNREFUSED" 0 0 /);
  });

  test("weights divide connections", async () => {
    await using stable = await RawUpstream.echo("stable");
    await using canary = await RawUpstream.echo("canary");
    await using world = await start(
      documents(
        gatewayResource("edge", [tcpServer]),
        tcpRoute(["stable", 80], ["canary", 20]),
        ...tcpService("stable", stable),
        ...tcpService("canary", canary),
      ),
    );
    const greetings = await Promise.all(
      Array.from({ length: 200 }, () => talk(clear(world.port(9000)), "", { half: true })),
    );
    const canaries = greetings.filter(({ text }) => text === "canary\n").length;
    expect(greetings.filter(({ text }) => text === "stable\n").length).toBe(200 - canaries);
    // Four standard deviations around the mean of 40.
    expect(canaries).toBeGreaterThan(17);
    expect(canaries).toBeLessThan(63);
  });

  test("a reload leaves open connections with their upstream, and a drain lets them finish", async () => {
    await using before = await RawUpstream.echo("before");
    await using after = await RawUpstream.echo("after");
    const site = (name: string) =>
      documents(
        gatewayResource("edge", [tcpServer]),
        tcpRoute([name, 100]),
        ...tcpService("before", before),
        ...tcpService("after", after),
      );
    await using world = await start(site("before"));
    const old = clear(world.port(9000));
    expect(String(await once(old, "data"))).toBe("before\n");
    await world.reload({ "site.yaml": site("after") });
    expect((await talk(clear(world.port(9000)), "", { half: true })).text).toBe("after\n");
    world.edge.process.kill("SIGTERM");
    await expect.poll(() => talk(clear(world.port(9000)), "", { half: true })).toEqual({ text: "", end: "reset" });
    const rest = readToEnd(old);
    old.end("still here");
    expect(await rest).toBe("still here");
    expect(await world.edge.exited).toBe(0);
  });

  test("a gibibyte goes each way while the worker grows by less than 64 MiB", { timeout: 120_000 }, async () => {
    await using upstream = await RawUpstream.listen((socket) => socket.pipe(socket));
    await using world = await start(
      documents(gatewayResource("edge", [tcpServer]), tcpRoute(["echo", 100]), ...tcpService("echo", upstream)),
      { workers: 1, accessLog: { path: "off" } },
    );
    const resident = async () =>
      Number(/sluice_worker_resident_memory_bytes\{[^}]*\} (\d+)/.exec(await world.metrics())?.[1] ?? Number.NaN);
    const piece = Buffer.alloc(mebibyte, 7);
    const client = clear(world.port(9000));
    let received = 0;
    client.on("data", (chunk: Buffer) => (received += chunk.length));
    const ended = once(client, "end");
    // After the first 64 MiB, with which V8 has come to its cruising height: what counts is that nothing grows with what passes.
    const samples: number[] = [];
    for (let i = 0; i < 1024; i++) {
      if (!client.write(piece)) await once(client, "drain");
      if (i % 64 === 63) samples.push(await resident());
    }
    client.end();
    await ended;
    expect(received).toBe(1024 * mebibyte);
    expect(Math.max(...samples) - (samples[0] ?? 0)).toBeLessThan(64 * mebibyte);
  });

  test("the idle timeout of the DestinationRule ends what does not move", async () => {
    await using upstream = await RawUpstream.echo("echo");
    await using world = await start(
      documents(
        gatewayResource("edge", [tcpServer]),
        tcpRoute(["echo", 100]),
        policy("echo", { connectionPool: { tcp: { idleTimeout: "0.3s" } } }),
        ...tcpService("echo", upstream),
      ),
    );
    expect(await talk(clear(world.port(9000)), "x")).toEqual({ text: "echo\nx", end: "closed" });
    expect(await world.nextAccessLogLine()).toContain(" tcp_session_idle_timeout ");
  });
});

describe("PROXY protocol", () => {
  const accepts = { "sluice.dev/proxy-protocol": "true" };
  const header = "PROXY TCP4 203.0.113.9 198.51.100.1 40000 9000\r\n";

  test.each(["V1", "V2"])("%s is sent where the DestinationRule says so", async (version) => {
    await using upstream = await RawUpstream.listen((socket) => {
      void readToEnd(socket).then((text) => socket.end(text, "latin1"));
    });
    await using world = await start(
      documents(
        gatewayResource("edge", [tcpServer]),
        tcpRoute(["echo", 100]),
        policy("echo", { proxyProtocol: { version } }),
        ...tcpService("echo", upstream),
      ),
    );
    const { text } = await talk(clear(world.port(9000)), "payload", { half: true });
    const head =
      version === "V1"
        ? "PROXY TCP4 127.0.0.1 127.0.0.1 "
        : "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01";
    expect(text.startsWith(head)).toBe(true);
    expect(text.endsWith("payload")).toBe(true);
  });

  test("what a load balancer tells is handed on and logged", async () => {
    await using upstream = await RawUpstream.listen((socket) => socket.pipe(socket));
    await using world = await start(
      documents(
        gatewayResource("edge", [tcpServer], accepts),
        tcpRoute(["echo", 100]),
        policy("echo", { proxyProtocol: { version: "V1" } }),
        ...tcpService("echo", upstream),
      ),
    );
    expect((await talk(clear(world.port(9000)), `${header}hello`, { half: true })).text).toBe(`${header}hello`);
    expect(await world.nextAccessLogLine()).toContain(" 198.51.100.1:9000 203.0.113.9:40000 ");
    expect(await talk(clear(world.port(9000)), "hello")).toMatchObject({ text: "" });
  });

  test("an HTTP listener believes the header, never a second one, and serves nobody without", async () => {
    const backend = await startHttpbin({ name: "httpbin" });
    const config = documents(
      gatewayResource("edge", [httpServer(["*"])], accepts),
      virtualService("site", { hosts: ["*"], gateways: ["edge"], destination: "httpbin" }),
      ...service("httpbin", backend.port),
    );
    await using world = await gateway({ config: { "site.yaml": config }, ports: [80] });
    const request = "GET /headers HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n";
    expect(world.engine(80)).toBe("node");
    expect((await talk(clear(world.port(80)), header + request)).text).toMatch(/^HTTP\/1\.1 200 [^]*203\.0\.113\.9/);
    expect((await talk(clear(world.port(80)), header + header + request)).text).toMatch(/^HTTP\/1\.1 400 /);
    expect((await talk(clear(world.port(80)), request)).text).toBe("");
    expect(await world.metrics()).toMatch(/handshake_failures_total\{[^}]*reason="proxy_protocol_missing"[^}]*\} 1/);
    await backend.close();
  });
});
