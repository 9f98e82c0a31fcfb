// Listeners on real sockets with a handler that the test writes, and clients that tell what they saw.
import { EventEmitter, once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { ClientValidation, FilterChain, Listener, SecretResource, TlsContext } from "@sluice/core/model";
import { SecretText } from "@sluice/core/model";
import type { Issued } from "@sluice/demo/certificates";
import type { Exchange, ExchangeHandler } from "../../src/exchange/exchange.ts";
import type { FailureCode } from "../../src/exchange/failure.ts";
import type { NetworkHandler } from "../../src/exchange/network-handler.ts";
import type { BoundListener, Codec, DownstreamLimits, ListenerSpec } from "../../src/listen/listener.ts";
import { bindNode } from "../../src/listen/node/listener.ts";
import { noNetwork } from "../support/no-network.ts";

/** Answers every request through `answer` and remembers what happened. */
export class TestHandler implements ExchangeHandler {
  readonly exchanges: Exchange[] = [];
  /** `abort` (exchange), `end` (exchange), `drain` (exchange), `data` (exchange, chunk). */
  readonly events = new EventEmitter();
  answer: (exchange: Exchange) => void = (exchange) => respond(exchange, 200, "hello");

  onRequest(exchange: Exchange): void {
    this.exchanges.push(exchange);
    this.answer(exchange);
  }
  onRequestData(exchange: Exchange, chunk: Uint8Array): void {
    exchange.bytesReceived += chunk.length;
    this.events.emit("data", exchange, Buffer.from(chunk));
  }
  onRequestEnd(exchange: Exchange): void {
    exchange.isRequestComplete = true;
    this.events.emit("end", exchange);
  }
  onDownstreamDrain(exchange: Exchange): void {
    this.events.emit("drain", exchange);
  }
  onDownstreamAborted(exchange: Exchange): void {
    this.events.emit("abort", exchange);
  }
  onUpstreamInformational(): void {}
  onUpstreamHead(): void {}
  onUpstreamData(): void {}
  onUpstreamHalfEnd(): void {}
  onUpstreamEnd(): void {}
  onUpstreamFlush(): void {}
  onUpstreamError(): void {}
  onUpstreamDrain(): void {}
}

export function respond(exchange: Exchange, status: number, body = "", headers: readonly string[] = []): void {
  exchange.isResponseStarted = true;
  exchange.sendHead(status, headers, Buffer.byteLength(body));
  if (body !== "") exchange.sendData(Buffer.from(body));
  exchange.sendEnd();
}

/** What listeners of this file's tests read HTTP/1.1 with, unless they say so themselves. */
export let codecInUse: Codec = "node";

export function useCodec(codec: Codec): void {
  codecInUse = codec;
}

export interface HandshakeFailure {
  readonly filterChain: string | null;
  readonly reason: string;
}

export interface TestListener extends AsyncDisposable {
  readonly bound: BoundListener;
  readonly port: number;
  readonly handler: TestHandler;
  readonly handshakeFailures: HandshakeFailure[];
  readonly refused: FailureCode[];
  readonly connections: { opened: number; closed: number };
  update(source: ListenerSource): void;
}

export interface ListenerSource {
  readonly chains?: readonly FilterChain[];
  readonly secrets?: readonly SecretResource[];
  readonly limits?: Partial<DownstreamLimits>;
  readonly ticketSecret?: Uint8Array;
  readonly handler?: TestHandler;
  readonly network?: NetworkHandler;
  readonly codec?: Codec;
  /** `transport`, `acceptsProxyProtocol`. */
  readonly listener?: Partial<Listener>;
}

export const defaultLimits: DownstreamLimits = {
  handshakeTimeoutMs: 20_000,
  requestHeadTimeoutMs: 20_000,
  idleTimeoutMs: 20_000,
  streamIdleTimeoutMs: 20_000,
  maxHeadBytes: 16 * 1024,
  maxHeaderCount: 100,
  maxConnections: 1000,
  maxConcurrentStreams: 100,
  maxResetStreamsPerMinute: 500,
  maxControlFramesPerMinute: 1000,
  streamBufferBytes: 65_536,
  connectionBufferBytes: 1_048_576,
  webSocketBufferBytes: 1_048_576,
  allowsHttp10: false,
};

export async function startListener(source: ListenerSource = {}): Promise<TestListener> {
  const handler = source.handler ?? new TestHandler();
  const handshakeFailures: HandshakeFailure[] = [];
  const refused: FailureCode[] = [];
  const connections = { opened: 0, closed: 0 };
  const bound = await bindNode(specOf(source), {
    handler,
    codec: source.codec ?? codecInUse,
    network: source.network ?? noNetwork,
    limits: { ...defaultLimits, ...source.limits },
    openConnections: { count: 0 },
    ticketSecret: source.ticketSecret ?? new Uint8Array(32).fill(7),
    observer: {
      onConnectionOpened: () => connections.opened++,
      onConnectionClosed: () => connections.closed++,
      onHandshakeFailed: (_listener, filterChain, reason) => handshakeFailures.push({ filterChain, reason }),
      onRequestRefused: (_listener, failure) => refused.push(failure),
    },
  });
  return {
    bound,
    port: bound.boundPort,
    handler,
    handshakeFailures,
    refused,
    connections,
    update: (next) => bound.update(specOf(next)),
    async [Symbol.asyncDispose]() {
      const drained = bound.drain();
      bound.abort();
      await drained;
    },
  };
}

export function specOf({
  chains = [chain({ name: "clear" })],
  secrets = [],
  listener = {},
}: ListenerSource): ListenerSpec {
  const isTls = chains.some(({ tls }) => tls !== null);
  return {
    listener: {
      name: isTls ? "0.0.0.0_443" : "0.0.0.0_80",
      address: "0.0.0.0",
      port: isTls ? 443 : 80,
      declaredPort: isTls ? 443 : 80,
      transport: isTls ? "tls" : "http",
      engine: "node",
      engineReason: "test",
      acceptsProxyProtocol: false,
      filterChains: chains,
      ...listener,
    },
    bindAddress: "127.0.0.1",
    bindPort: 0,
    secret: (name) => secrets.find((candidate) => candidate.name === name) ?? null,
  };
}

export function chain(fields: Partial<FilterChain> & { readonly name: string }): FilterChain {
  return {
    serverNames: [],
    tls: null,
    routeConfig: "http.80",
    forward: null,
    statPrefix: null,
    gateway: { namespace: "default", name: "gateway" },
    ...fields,
  };
}

/** A chain for one name, with the certificate of the secret `server`. */
export function tlsChain(serverName: string, tls: Partial<TlsContext> = {}): FilterChain {
  return chain({
    name: `https.${serverName}`,
    serverNames: [serverName],
    tls: {
      mode: "SIMPLE",
      certificates: [{ secret: "server", files: null }],
      clientValidation: null,
      alpn: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
      cipherSuites: [],
      ecdhCurves: [],
      ...tls,
    },
  });
}

export function validation(fields: Partial<ClientValidation> = {}): ClientValidation {
  return {
    trustedCa: "ca",
    trustedCaFile: null,
    crl: null,
    crlFile: null,
    subjectAltNames: [],
    spkiHashes: [],
    certificateHashes: [],
    acceptUntrusted: false,
    ...fields,
  };
}

export function secret(name: string, fields: Partial<SecretResource>): SecretResource {
  return {
    name,
    status: "ready",
    reason: "",
    certificateChain: null,
    privateKey: null,
    trustedCa: null,
    crl: null,
    ...fields,
  };
}

export function serverSecret(name: string, issued: Issued): SecretResource {
  return secret(name, { certificateChain: issued.chainPem, privateKey: new SecretText(issued.keyPem) });
}

export interface TlsAttempt {
  /** All that the server sent as application data. */
  readonly received: string;
  /** The latest session the server offered, null without one. */
  readonly session: Buffer | null;
  readonly isResumed: boolean;
  readonly protocol: string | null;
  readonly alpn: string | null;
  readonly peerCommonName: string;
}

export const requestText = "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n";

/** Shakes hands, sends one request and reads to the end of the connection. Never rejects: what went wrong shows in `received`. */
export async function attemptTls(port: number, options: ConnectionOptions, text = requestText): Promise<TlsAttempt> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  let session: Buffer | null = null;
  let received = "";
  let [isResumed, protocol, alpn, peerCommonName]: [boolean, string | null, string | null, string] = [
    false,
    null,
    null,
    "",
  ];
  socket.on("session", (offered) => (session = offered));
  socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  socket.once("secureConnect", () => {
    isResumed = socket.isSessionReused();
    protocol = socket.getProtocol();
    alpn = socket.alpnProtocol === false ? null : socket.alpnProtocol;
    peerCommonName = String(socket.getPeerCertificate().subject?.CN ?? "");
    socket.write(text);
  });
  await closed(socket);
  return { received, session, isResumed, protocol, alpn, peerCommonName };
}

/** A TLS connection that is ready to be used. */
export async function openTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

export async function openTcp(port: number): Promise<Socket> {
  const socket = connectTcp({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Sends bytes as they are and reads to the end of the connection. */
export async function exchangeRaw(port: number, text: string | Uint8Array): Promise<string> {
  const socket = await openTcp(port);
  let received = "";
  socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
  await closed(socket);
  return received;
}

/** The end of a connection, however it came; `once` would reject on an error. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** Reads until what arrived contains `text`. */
export async function readUntil(socket: Socket, text: string): Promise<string> {
  let received = "";
  for (;;) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    received += chunk.toString("latin1");
    if (received.includes(text)) return received;
  }
}
