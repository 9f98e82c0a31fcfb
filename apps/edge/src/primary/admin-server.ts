// The admin port of an edge: health for load balancers, metrics, the live table, its endpoints, drain. Plain node:http: six fixed paths.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isLoopback, isLoopbackAuthority, toHttpUrl } from "@sluice/core/settings";

export interface AdminSource {
  /** Null when ready, else why not. */
  notReadyReason(): string | null;
  prometheus(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** The live table as JSON; private keys print as `[secret]`. */
  configDump(): unknown;
  /** The endpoints of every cluster, as the workers see them, as JSON. */
  endpoints(): Promise<unknown>;
  /** Starts the drain that ends the process. */
  requestDrain(): void;
}

type Handler = (source: AdminSource, response: ServerResponse) => void | Promise<void>;

const routes: Readonly<Record<string, { readonly method: "GET" | "POST"; readonly handle: Handler }>> = {
  "/healthz/live": { method: "GET", handle: (_, response) => sendText(response, 200, "live\n") },
  "/healthz/ready": {
    method: "GET",
    handle(source, response) {
      const reason = source.notReadyReason();
      sendText(response, reason === null ? 200 : 503, reason === null ? "ready\n" : `not ready: ${reason}\n`);
    },
  },
  "/stats/prometheus": {
    method: "GET",
    async handle(source, response) {
      const { contentType, text } = await source.prometheus();
      send(response, 200, { contentType, body: text });
    },
  },
  "/config_dump": { method: "GET", handle: (source, response) => sendJson(response, 200, source.configDump()) },
  "/clusters": {
    method: "GET",
    async handle(source, response) {
      sendJson(response, 200, await source.endpoints());
    },
  },
  "/drain": {
    method: "POST",
    handle(source, response) {
      sendJson(response, 202, { draining: true });
      source.requestDrain();
    },
  },
};

/** Listens on `host:port` (port 0: a free one). Rejects when the address cannot be had. */
export function startAdminServer(
  address: { host: string; port: number },
  source: AdminSource,
): Promise<{ server: Server; url: string }> {
  const isLocal = isLoopback(address.host);
  const server = createServer((request, response) => {
    const objection = objectionTo(request, isLocal);
    if (objection === null) void answer(source, request, response);
    else sendText(response, 403, `${objection}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(new Error(`cannot listen on admin.address ${address.host}:${address.port}: ${error.message}`)),
    );
    server.listen(address.port, address.host, () => {
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
      resolve({ server, url: toHttpUrl(address.host, port) });
    });
  });
}

/**
 * Why a request is not answered, or null. There is no authentication, so a web page must not act through the browser of somebody who may
 * reach this port: neither under a name of its own that resolves here (DNS rebinding), nor by a form or script from elsewhere.
 */
function objectionTo({ headers, method }: IncomingMessage, isLocal: boolean): string | null {
  if (isLocal && !isLoopbackAuthority(headers.host)) return "the Host header must be a loopback address";
  const isFromBrowser = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
  return method === "POST" && isFromBrowser ? "browsers may look, not act" : null;
}

async function answer(source: AdminSource, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return sendText(response, 404, `no such page; there are ${Object.keys(routes).join(" ")}\n`);
  const isAllowed = request.method === route.method || (request.method === "HEAD" && route.method === "GET");
  if (!isAllowed) {
    response.setHeader("allow", route.method);
    return sendText(response, 405, `${path} answers to ${route.method}\n`);
  }
  try {
    await route.handle(source, response);
  } catch (error) {
    sendText(response, 500, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function sendText(response: ServerResponse, status: number, body: string): void {
  send(response, status, { contentType: "text/plain; charset=utf-8", body });
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, { contentType: "application/json", body: `${JSON.stringify(value, null, 2)}\n` });
}

function send(
  response: ServerResponse,
  status: number,
  { contentType, body }: { contentType: string; body: string },
): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    server: "sluice",
  });
  response.end(body);
}
