// http-proxy-3, the maintained successor of http-proxy: request and WebSocket, connections to the backend kept.
import { Agent } from "node:http";
import { createProxyServer } from "http-proxy-3";
import { addForwardingHeaders, listen, readSettings } from "./settings.ts";

const settings = readSettings();
const proxy = createProxyServer({
  target: settings.target,
  agent: new Agent({ keepAlive: true, maxSockets: 2048, maxFreeSockets: 2048 }),
});
proxy.on("error", (_error, _request, response) => response.destroy());

const servers = listen(settings, (request, response) => {
  addForwardingHeaders(request, request.headers);
  proxy.web(request, response);
});
for (const server of servers) {
  server.on("upgrade", (request, socket, head) => proxy.ws(request, socket, head));
}
