// Kept connections that the backend has closed in the meantime: the client never hears of it when its request may be sent again.
import { once } from "node:events";
import { Agent, createServer, request, type Server } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, service, serviceOn, virtualService } from "../support/config.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";

const requests = 500;
const clients = 5;
/** Around the time after which the backend closes, on both sides of it: every moment of closing is met by some request. */
const keptMs = 20;

/** Closes every connection that has been idle for `keptMs`, without a word about it in its answers. */
const backend: Server = createServer((_request, response) => response.end("ok"));
backend.on("connection", (socket) => {
  let timer: NodeJS.Timeout | undefined;
  socket.on("error", () => undefined);
  socket.on("data", () => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), keptMs);
  });
});
backend.listen(0, "127.0.0.1");
await once(backend, "listening");

const http2Backend = createHttp2Server((_request, response) => response.end("ok"));
http2Backend.on("session", (session: ServerHttp2Session) => {
  let timer: NodeJS.Timeout | undefined;
  session.on("error", () => undefined);
  session.on("stream", () => {
    clearTimeout(timer);
    timer = setTimeout(() => session.destroy(), keptMs);
  });
});
http2Backend.listen(0, "127.0.0.1");
await once(http2Backend, "listening");

afterAll(() => {
  backend.close();
  http2Backend.close();
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
const config = documents(
  gatewayResource("app", [httpServer(["one.example", "two.example"])]),
  virtualService("one", { hosts: ["one.example"], gateways: ["app"], destination: "one" }),
  virtualService("two", { hosts: ["two.example"], gateways: ["app"], destination: "two" }),
  ...service("one", portOf(backend)),
  ...serviceOn("two", { name: "http2", port: 8000 }, [portOf(http2Backend)]),
);

describe.each(engineLanes)("$name:", ({ edge }) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await gateway({ config: { "app.yaml": config }, edge: { ...edge, workers: 1 }, ports: [80] });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.each([
    ["HTTP/1.1", "one.example"],
    ["HTTP/2", "two.example"],
  ])("of %s fail none of 500 requests", async (_protocol, host) => {
    const agent = new Agent({ keepAlive: true });
    const statuses = new Map<number, number>();
    const ask = async (): Promise<void> => {
      const sent = request({ agent, host: "127.0.0.1", port: world.port(80), headers: { host } }).end();
      const [response] = await once(sent, "response");
      response.resume();
      await once(response, "end");
      statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
    };
    const askOften = async (client: number): Promise<void> => {
      for (let at = client; at < requests; at += clients) {
        // Pauses are what makes connections stale.
        // eslint-disable-next-line no-await-in-loop
        await ask();
        // eslint-disable-next-line no-await-in-loop
        await delay(keptMs - 8 + (at % 16));
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, client) => askOften(client)));
    agent.destroy();
    expect([...statuses]).toEqual([[200, requests]]);
  });
});
