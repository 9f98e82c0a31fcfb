// @fastify/http-proxy in its defaults (undici upstream), with as many connections to the backend as nginx keeps.
import type { IncomingMessage } from "node:http";
import httpProxy from "@fastify/http-proxy";
import { fastify, type FastifyInstance } from "fastify";
import { logRequests } from "./access-log.ts";
import { addForwardingHeaders, readSettings, readTls } from "./settings.ts";

const settings = readSettings();

async function serve(app: FastifyInstance, port: number): Promise<void> {
  // Bodies are streamed as they are, whatever their type.
  await app.register(httpProxy, {
    upstream: settings.target,
    websocket: true,
    undici: { connections: 128, pipelining: 1, keepAliveTimeout: 60_000 },
    replyOptions: {
      rewriteRequestHeaders: (request, headers) => addForwardingHeaders(request.raw as IncomingMessage, headers),
    },
  });
  await app.listen({ port, host: "127.0.0.1" });
}

const options = { logger: false, keepAliveTimeout: 0, bodyLimit: 2 ** 24 };
const plain = fastify(options);
const tls = fastify({ ...options, https: readTls(settings) });
await serve(plain, settings.plain);
await serve(tls, settings.tls);
logRequests([plain.server, tls.server], settings.accessLog);
