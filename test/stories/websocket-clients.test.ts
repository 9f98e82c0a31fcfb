// The `ws` client and server with Sluice between them, through every door a WebSocket may come by: what either says is what the other
// hears, pings and closes included.
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import {
  documents,
  gatewayResource,
  httpServer,
  httpsServer,
  service,
  tlsSecret,
  virtualService,
} from "../support/config.ts";
import { engineLanes, isUwsAvailable } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { webSocketConnection } from "../support/web-socket-over-http2.ts";

const host = "app.example";
const MiB = 1024 * 1024;
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });
const ca = authority.certificatePem;

/** Echoes, and turns /forbidden away. */
const backend = new WebSocketServer({
  port: 0,
  host: "127.0.0.1",
  maxPayload: 32 * MiB,
  verifyClient: ({ req }, decide) => decide(req.url !== "/forbidden", 403),
});
backend.on("connection", (socket) => {
  socket.on("error", () => undefined);
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
await once(backend, "listening");
afterAll(() => {
  for (const socket of backend.clients) socket.terminate();
  backend.close();
});

const config = documents(
  gatewayResource("app", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("app", { hosts: [host], gateways: ["app"], destination: "sockets" }),
  ...service("sockets", (backend.address() as AddressInfo).port),
  tlsSecret("app", certificate),
);

/** The default of the setting is below what the stories send; it matters to uWebSockets.js alone. */
const limits = { webSocketBufferBytes: 32 * MiB };

const isNode = (edge: Readonly<Record<string, unknown>>) => edge["engine"] === "node";
const lanes = engineLanes.flatMap(({ name, edge }) => [
  { name: `${name}, in the clear`, edge, door: "clear" },
  { name: `${name}, TLS`, edge, door: "tls" },
  ...(isNode(edge)
    ? [
        { name: `${name}, HTTP/2 in the clear`, edge, door: "h2c" },
        { name: `${name}, HTTP/2 over TLS`, edge, door: "h2" },
      ]
    : []),
]);

describe.each(lanes)("$name:", ({ edge, door }) => {
  let world: Gateway;
  let session: ClientHttp2Session | null = null;
  beforeAll(async () => {
    world = await gateway({ config: { "app.yaml": config }, edge: { ...edge, workers: 1, drainSeconds: 1, limits } });
    if (door === "h2c") session = connect(`http://127.0.0.1:${world.port(80)}`);
    if (door === "h2") session = connect(`https://127.0.0.1:${world.port(443)}`, { ca, servername: host });
    if (session === null) return;
    session.on("error", () => undefined);
    await once(session, "remoteSettings");
  });
  afterAll(async () => {
    session?.destroy();
    await world[Symbol.asyncDispose]();
  });

  const start = (path = "/"): WebSocket => {
    const over = session;
    const url = door === "tls" ? `wss://127.0.0.1:${world.port(443)}` : `ws://127.0.0.1:${world.port(80)}`;
    const createConnection = over === null ? undefined : () => webSocketConnection(over, host);
    const security = door === "tls" ? { ca, servername: host } : {};
    const tunnel = createConnection === undefined ? {} : { createConnection: createConnection as never };
    const socket = new WebSocket(`${url}${path}`, { headers: { host }, ...security, ...tunnel });
    socket.on("error", () => undefined);
    onTestFinished(() => socket.terminate());
    return socket;
  };

  /** Both ends of one WebSocket. */
  const open = async (): Promise<{ client: WebSocket; server: WebSocket }> => {
    const accepted = once(backend, "connection");
    const client = start();
    const [[server]] = await Promise.all([accepted, once(client, "open")]);
    return { client, server: server as WebSocket };
  };

  test("sixteen mebibytes in one message come back as they went", async () => {
    const { client } = await open();
    const large = Buffer.alloc(16 * MiB, "sluice gate ");
    const echo = once(client, "message");
    client.send(large);
    const [data, isBinary] = (await echo) as [Buffer, boolean];
    expect([data.equals(large), isBinary]).toEqual([true, true]);
    const text = once(client, "message");
    client.send("grüße");
    expect(String((await text)[0])).toBe("grüße");
  });

  test("pings of either side are answered by the other, with what they say", async () => {
    const { client, server } = await open();
    const [heard, answered] = [once(server, "ping"), once(client, "pong")];
    client.ping("are you there?");
    expect(String((await heard)[0])).toBe("are you there?");
    expect(String((await answered)[0])).toBe("are you there?");
    const back = once(server, "pong");
    server.ping("and you?");
    expect(String((await back)[0])).toBe("and you?");
  });

  test.each(["client", "server"] as const)("the %s's close reaches the other with code and reason", async (side) => {
    const both = await open();
    const other = both[side === "client" ? "server" : "client"];
    const [told, done] = [once(other, "close"), once(both[side], "close")];
    both[side].close(4321, "enough");
    const [code, reason] = (await told) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4321, "enough"]);
    expect((await done)[0]).toBe(4321);
  });

  test("a client that vanishes is missed by the server", async () => {
    const { client, server } = await open();
    const closed = once(server, "close");
    client.terminate();
    expect((await closed)[0]).toBe(1006);
  });

  test("the backend's refusal is the client's answer", async () => {
    const [, response] = (await once(start("/forbidden"), "unexpected-response")) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(403);
  });

  test("a drain leaves it drainSeconds to say goodbye, then ends both halves", async () => {
    const { client, server } = await open();
    const [clientClosed, serverClosed] = [once(client, "close"), once(server, "close")];
    const draining = world.edge.stderr.next((line) => line.includes("drain"));
    world.edge.process.kill("SIGTERM");
    await draining;
    const echo = once(client, "message");
    client.send("still here");
    expect(String((await echo)[0])).toBe("still here");
    await Promise.all([clientClosed, serverClosed]);
    expect(await world.edge.exited).toBe(0);
  });
});

test.skipIf(!isUwsAvailable)(
  "a message beyond edge.limits.webSocketBufferBytes ends its WebSocket, and no other",
  async () => {
    const edge = { engine: "auto", alpn: ["http/1.1"], workers: 1, limits: { webSocketBufferBytes: MiB } };
    await using world = await gateway({ config: { "app.yaml": config }, edge });
    const start = async (): Promise<WebSocket> => {
      const socket = new WebSocket(`ws://127.0.0.1:${world.port(80)}/`, { headers: { host } });
      socket.on("error", () => undefined);
      await once(socket, "open");
      return socket;
    };
    const [greedy, modest] = [await start(), await start()];
    expect(world.engine(80)).toBe("uws");
    const closed = once(greedy, "close");
    greedy.send(Buffer.alloc(MiB + 1));
    await closed;
    const echo = once(modest, "message");
    modest.send(Buffer.alloc(MiB));
    expect(((await echo)[0] as Buffer).length).toBe(MiB);
    modest.terminate();
  },
);
