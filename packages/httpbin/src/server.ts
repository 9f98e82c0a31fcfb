// Starts and stops one backend: listens, tracks its connections, records its requests and hands them to the route table.
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { dispatch } from "./dispatch.ts";
import { Recorder } from "./recorder.ts";
import type { RecordedRequest } from "./recorder.ts";
import { createEcho } from "./web-socket.ts";

const maxRecordedRequests = 1000;
// Longer than any gateway's idle timeout should be: a connection a test finds closed was closed by the gateway.
const keepAliveTimeoutMs = 75_000;
// Above every limit a gateway would set on a request head, so that its limit is the one that shows.
const maxHeadBytes = 256 * 1024;

export interface HttpbinOptions {
  /** An address or a name; "127.0.0.1" when absent. */
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** Told in the answers of /anything and its like, so that a test can tell backends apart. */
  readonly name?: string;
}

export interface Httpbin {
  readonly name: string;
  readonly port: number;
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  /** How many connections are open now. */
  readonly connections: number;
  /** How many connections were ever accepted: the difference between reusing one and opening another. */
  readonly acceptedConnections: number;
  /** The last 1000 requests, newest last, WebSocket upgrades included; a new list every time it is read. */
  readonly requests: readonly RecordedRequest[];
  /** Ends every connection, whatever it is doing, and frees the port. May be called again. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a backend.
 * @throws when the address cannot be listened on (rejects with Node's error, e.g. `EADDRINUSE`)
 * @example
 * await using backend = await startHttpbin({ name: "httpbin-a" });
 * await fetch(`${backend.url}/status/418`);
 */
export async function startHttpbin(options: HttpbinOptions = {}): Promise<Httpbin> {
  const { host = "127.0.0.1", port = 0, name = "httpbin" } = options;
  const recorder = new Recorder(maxRecordedRequests);
  const server = createServer(
    // Uploads may take as long as they like.
    { keepAliveTimeout: keepAliveTimeoutMs, maxHeaderSize: maxHeadBytes, requestTimeout: 0 },
    (request, response) => void dispatch(toExchange(request, response, { recorder, name })),
  );
  const echo = createEcho();
  server.on("upgrade", (request, socket, head) => {
    recorder.record(request);
    echo(request, socket, head);
  });
  const connections = trackConnections(server);
  server.listen(port, host);
  await once(server, "listening");

  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    // Not server.closeAllConnections(): it forgets connections that were upgraded to WebSockets.
    for (const socket of connections.open) socket.destroy();
    await closed;
  };
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    name,
    port: boundPort,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort}`,
    get connections() {
      return connections.open.size;
    },
    get acceptedConnections() {
      return connections.accepted;
    },
    get requests() {
      return recorder.list();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function trackConnections(server: Server): { readonly open: ReadonlySet<Socket>; readonly accepted: number } {
  const open = new Set<Socket>();
  const tracked = { open, accepted: 0 };
  server.on("connection", (socket) => {
    tracked.accepted++;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return tracked;
}

function toExchange(request: IncomingMessage, response: ServerResponse, backend: { recorder: Recorder; name: string }) {
  const target = request.url ?? "/";
  const mark = target.indexOf("?");
  return {
    request,
    response,
    record: backend.recorder.record(request),
    path: mark === -1 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : target.slice(mark + 1)),
    backendName: backend.name,
  };
}
