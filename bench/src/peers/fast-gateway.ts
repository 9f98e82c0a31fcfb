// fast-gateway, on restana and fast-proxy-lite, with the agent's keep-alive that it has by default.
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import gateway from "fast-gateway";
import restana from "restana";
import { logRequests } from "./access-log.ts";
import { addForwardingHeaders, readSettings, readTls } from "./settings.ts";

const settings = readSettings();
const plain = createServer();
const tls = createTlsServer(readTls(settings));

for (const [server, port] of [
  [plain, settings.plain],
  [tls, settings.tls],
] as const) {
  server.keepAliveTimeout = 0;
  const rewriteRequestHeaders = (request: IncomingMessage, headers: IncomingHttpHeaders) =>
    addForwardingHeaders(request, headers);
  const app = gateway({
    server: restana({ server }),
    routes: [{ prefix: "", pathRegex: "/*", target: settings.target, timeout: 0, hooks: { rewriteRequestHeaders } }],
  });
  await app.start(port, "127.0.0.1");
}
logRequests([plain, tls], settings.accessLog);
