// WebSocket where HTTP/2 is on the upstream's side, or written by hand on the client's: extended CONNECT (RFC 8441) in, out, and both. Behind it
// `ws` answers, so that whatever arrives must be whole frames.
import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { documents, gatewayResource, httpServer, service, serviceOn } from "../support/config.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { hasStreamEnded, rawHttp2Request } from "../support/raw-http2.ts";
import { clear, talk } from "../support/raw-socket.ts";
import { webSocketConnection } from "../support/web-socket-over-http2.ts";

const host = "app.example";
const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "chat" });
sockets.on("connection", (socket) => {
  socket.on("error", () => undefined);
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
await once(sockets, "listening");

/** Every CONNECT that the upstream was asked. */
const asked: Readonly<Record<string, unknown>>[] = [];

/** Hands the tunnel on to `ws`, which speaks HTTP/1.1 only. */
function tunnel(stream: ServerHttp2Stream, path: string): void {
  stream.on("error", () => undefined);
  if (path === "/2/forbidden") {
    stream.respond({ ":status": 403 }, { endStream: true });
    return;
  }
  const socket = connectTcp((sockets.address() as AddressInfo).port, "127.0.0.1");
  const key =
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: chat";
  socket.write(`GET / HTTP/1.1\r\nhost: ws\r\nconnection: upgrade\r\nupgrade: websocket\r\n${key}\r\n\r\n`);
  socket.once("data", () => {
    stream.respond({ ":status": 200, "sec-websocket-protocol": "chat" });
    stream.pipe(socket).pipe(stream);
  });
}

async function http2Server(enableConnectProtocol: boolean): Promise<Http2Server> {
  const server = createServer({ settings: { enableConnectProtocol } });
  server.on("stream", (stream, headers) => {
    asked.push({ ...headers });
    tunnel(stream, String(headers[":path"]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const knowing = await http2Server(true);
const ignorant = await http2Server(false);
const portOf = (server: Http2Server) => (server.address() as AddressInfo).port;
const rule = (prefix: string, name: string) => ({
  match: [{ uri: { prefix } }],
  route: [{ destination: { host: name, port: { number: 8000 } } }],
});
const config = documents(
  gatewayResource("app", [httpServer([host])]),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "app" },
    spec: {
      hosts: [host],
      gateways: ["app"],
      http: [rule("/1", "one"), rule("/2", "knowing"), rule("/ignorant", "ignorant")],
    },
  },
  ...service("one", (sockets.address() as AddressInfo).port),
  ...serviceOn("knowing", { name: "http2", port: 8000 }, [portOf(knowing)]),
  ...serviceOn("ignorant", { name: "http2", port: 8000 }, [portOf(ignorant)]),
);

afterAll(() => {
  for (const socket of sockets.clients) socket.terminate();
  for (const server of [sockets, knowing, ignorant]) server.close();
});

const lanes = engineLanes.flatMap(({ name, edge }) => [
  { name, edge, version: "HTTP/1.1" },
  ...(edge["engine"] === "node" ? [{ name, edge, version: "HTTP/2" }] : []),
]);

describe.each(lanes)("$name, a client of $version:", ({ edge, version }) => {
  let world: Gateway;
  let session: ClientHttp2Session | null = null;
  beforeAll(async () => {
    world = await gateway({ config: { "app.yaml": config }, edge: { ...edge, workers: 1 }, ports: [80] });
    if (version === "HTTP/1.1") return;
    session = connect(`http://127.0.0.1:${world.port(80)}`);
    await once(session, "remoteSettings");
  });
  afterAll(async () => {
    session?.destroy();
    await world[Symbol.asyncDispose]();
  });

  const start = (path: string): WebSocket => {
    const over = session;
    const way = over === null ? {} : { createConnection: (() => webSocketConnection(over, host)) as never };
    const url = `ws://127.0.0.1:${world.port(80)}${path}`;
    // The `ws` client asks for a subprotocol where it writes its own handshake.
    const socket = new WebSocket(url, over === null ? ["chat"] : [], {
      headers: { host },
      perMessageDeflate: false,
      ...way,
    });
    socket.on("error", () => undefined);
    onTestFinished(() => socket.terminate());
    return socket;
  };

  test("messages of any size come back from behind an HTTP/2 upstream, and so does the close", async () => {
    const client = start("/2");
    await once(client, "open");
    expect(client.protocol).toBe(version === "HTTP/1.1" ? "chat" : "");
    expect(asked.at(-1)).toMatchObject({
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": "/2",
      ":authority": host,
    });
    expect(asked.at(-1)).not.toHaveProperty("sec-websocket-key");
    const large = Buffer.alloc(300_000, "sluice ");
    for (const message of [large, Buffer.from("small"), Buffer.alloc(0)]) {
      const echo = once(client, "message");
      client.send(message);
      const [data] = (await echo) as [Buffer];
      expect(data.equals(message)).toBe(true);
    }
    const closed = once(client, "close");
    client.close(4000, "enough");
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4000, "enough"]);
  });

  test("the upstream's refusal is the client's answer, and one without extended CONNECT is 502", async () => {
    for (const [path, status] of [
      ["/2/forbidden", 403],
      ["/ignorant", 502],
    ] as const) {
      const answered = once(start(path), "unexpected-response");
      const [, response] = (await answered) as [unknown, { statusCode: number }];
      expect(response.statusCode).toBe(status);
    }
    expect(asked.some((headers) => headers[":path"] === "/ignorant")).toBe(false);
  });

  test.skipIf(version === "HTTP/1.1")("a handshake and frames written by hand are answered in frames", async () => {
    const mask = "\x01\x02\x03\x04";
    const masked = "hello".split("").map((char, i) => String.fromCharCode(char.charCodeAt(0) ^ mask.charCodeAt(i % 4)));
    const frames = `\x81\x85${mask}${masked.join("")}\x88\x80${mask}`;
    const request = (path: string) =>
      rawHttp2Request(
        [
          [":method", "CONNECT"],
          [":protocol", "websocket"],
          [":scheme", "http"],
          [":path", path],
          [":authority", host],
          ["sec-websocket-version", "13"],
        ],
        frames,
      );
    for (const path of ["/1", "/2"]) {
      const { text } = await talk(clear(world.port(80)), request(path), { until: hasStreamEnded });
      expect(text).toContain("\x81\x05hello");
      expect(text).toContain("\x88\x00");
    }
  });
});
