// The two halves of an upgraded connection end by themselves, whichever ends first, on every engine that can; what is said on the other half
// still arrives. Bytes, not WebSocket messages: a close frame would end both halves in good order and hide how they end.
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  documents,
  gatewayResource,
  httpServer,
  httpsServer,
  service,
  tlsSecret,
  virtualService,
} from "../support/config.ts";
import { gateway, type Gateway } from "../support/gateway.ts";
import { engineLanes, isUwsAvailable } from "../support/engines.ts";
import { clear, secure } from "../support/raw-socket.ts";
import { webSocketConnection } from "../support/web-socket-over-http2.ts";
import { createHash } from "node:crypto";

const host = "app.example";
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const handshake = `GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`;
const authority = await createAuthority({ commonName: "story ca" });
const ca = authority.certificatePem;

/** Agrees to every upgrade; what happens then is the test's. */
const backend = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => undefined);
  socket.once("data", (head: Buffer) => {
    const sent = /sec-websocket-key: (\S+)/i.exec(head.toString("latin1"))?.[1] ?? "";
    const accept = createHash("sha1").update(`${sent}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const fields = `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept}`;
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`);
    backend.emit("tunnel", socket);
  });
});
backend.listen(0, "127.0.0.1");
await once(backend, "listening");

const config = documents(
  gatewayResource("app", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("app", { hosts: [host], gateways: ["app"], destination: "backend" }),
  tlsSecret("app", await authority.issue({ commonName: "app", dnsNames: [host] })),
  ...service("backend", (backend.address() as AddressInfo).port),
);

let world: Gateway;
const sessions: ClientHttp2Session[] = [];
const edge = engineLanes.at(-1)?.edge ?? {};

afterAll(() => {
  backend.close();
});

async function overHttp2(): Promise<Duplex> {
  const session = connect(`https://127.0.0.1:${world.port(443)}`, { ca, servername: host });
  sessions.push(session);
  await once(session, "remoteSettings");
  return webSocketConnection(session, host);
}

const doors: Readonly<Record<string, () => Duplex | Promise<Duplex>>> = {
  "HTTP/1.1": () => clear(world.port(80)),
  "HTTP/1.1 over TLS": () => {
    const socket = secure(world.port(443), { servername: host, ca }) as TLSSocket;
    socket.allowHalfOpen = true;
    return socket;
  },
  "HTTP/2": overHttp2,
};

/** One end of a tunnel: what it says, and what it has heard. */
class End {
  readonly socket: Duplex;
  heard = "";
  hasEnded = false;
  isClosed = false;
  #wake = (): void => undefined;

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#note(() => (this.heard += chunk.toString("latin1"))));
    socket.on("end", () => this.#note(() => (this.hasEnded = true)));
    socket.on("close", () => this.#note(() => (this.isClosed = true)));
  }

  async until(isTrue: (end: End) => boolean): Promise<string> {
    while (!isTrue(this)) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.heard;
  }

  #note(happen: () => void): void {
    happen();
    this.#wake();
  }
}

const ended = ({ hasEnded }: End): boolean => hasEnded;

/** Both ends of a tunnel that stands. */
async function open(door: string): Promise<{ client: End; server: End }> {
  const tunnel = once(backend, "tunnel");
  const socket = await doors[door]?.();
  if (socket === undefined) throw new Error(door);
  const client = new End(socket);
  socket.write(handshake);
  const [server] = (await tunnel) as [Socket];
  await client.until(({ heard }) => heard.endsWith("\r\n\r\n"));
  client.heard = "";
  return { client, server: new End(server) };
}

describe.each(["node", "own"])("with codec %s", (codec) => {
  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, edge: { ...edge, codec, workers: 1 } });
  });

  afterAll(async () => {
    for (const session of sessions) session.destroy();
    await world[Symbol.asyncDispose]();
  });

  describe.each(Object.keys(doors))("over %s", (door) => {
    test("the backend's half ends first, and what the client says then arrives", async () => {
      const { client, server } = await open(door);
      server.socket.end("that is all from me");
      expect(await client.until(ended)).toBe("that is all from me");
      client.socket.write("but ");
      expect(await server.until(({ heard }) => heard.length > 3)).toBe("but ");
      client.socket.end("x".repeat(1_000_000));
      expect((await server.until(ended)).length).toBe(1_000_004);
    });

    test("the client's half ends first, and what the backend says then arrives", async () => {
      const { client, server } = await open(door);
      client.socket.end("question");
      expect(await server.until(ended)).toBe("question");
      server.socket.write("answer, ");
      await client.until(({ heard }) => heard.endsWith(", "));
      server.socket.end("in two parts");
      expect(await client.until(ended)).toBe("answer, in two parts");
    });

    test("a backend that dies after it has ended its half takes the client's along", async () => {
      const { client, server } = await open(door);
      server.socket.end();
      await client.until(ended);
      server.socket.destroy();
      const writing = setInterval(() => client.socket.write("anyone?"), 5);
      await client.until(({ isClosed }) => isClosed);
      clearInterval(writing);
    });
  });

  test("a tunnel whose halves have both ended is logged as one that ended well", async () => {
    const { client, server } = await open("HTTP/1.1");
    server.socket.end("bye");
    await client.until(ended);
    client.socket.end("goodbye");
    await server.until(ended);
    const line = await world.edge.stdout.next((text) => text.includes('"-" 7 3 '));
    expect(line).toMatch(/^\[[^\]]*\] "GET \/ HTTP\/1\.1" 101 - via_upstream /);
  });
});

test.runIf(isUwsAvailable)(
  "on uWebSockets.js, which knows no halves, the backend's end is the end of both",
  async () => {
    await using site = await gateway({ config: { "site.yaml": config }, edge: { workers: 1, engine: "auto" } });
    expect(site.engine(80)).toBe("uws");
    const tunnel = once(backend, "tunnel");
    const client = new End(clear(site.port(80)));
    client.socket.write(handshake);
    const server = new End(((await tunnel) as [Socket])[0]);
    await client.until(({ heard }) => heard.endsWith("\r\n\r\n"));
    server.socket.end();
    await client.until(ended);
    await server.until(ended);
  },
);
