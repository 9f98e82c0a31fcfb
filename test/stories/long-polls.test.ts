// Long polls: many clients wait a long time for the first byte of their answers. What is there of an answer reaches them at once, nothing is kept
// back until it is whole, and who waits holds up nobody else.
import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAuthority } from "@sluice/demo/certificates";
import { connect } from "node:http2";
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
import { engineLanes, offersHttp2 } from "../support/engines.ts";
import { gateway, type Gateway } from "../support/gateway.ts";
import { clear, Conversation, hasWholeMessage } from "../support/raw-socket.ts";

const host = "app.example";
const authority = await createAuthority({ commonName: "story ca" });

const waiting: ServerResponse[] = [];
const backend = createServer((request, response) => {
  if (request.url === "/now") response.end("now");
  else {
    waiting.push(response);
    backend.emit("waiting");
  }
});
backend.listen(0, "127.0.0.1");
await once(backend, "listening");
afterAll(() => {
  backend.closeAllConnections();
  backend.close();
});

/** Resolves when so many clients wait, and hands them over. */
async function polls(count: number): Promise<ServerResponse[]> {
  while (waiting.length < count) await once(backend, "waiting");
  return waiting.splice(0);
}

const config = documents(
  gatewayResource("app", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("app", { hosts: [host], gateways: ["app"], destination: "backend" }),
  tlsSecret("app", await authority.issue({ commonName: "app", dnsNames: [host] })),
  ...service("backend", (backend.address() as AddressInfo).port),
);
const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;

describe.each(engineLanes)("$name:", (lane) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, edge: { ...lane.edge, workers: 1 } });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("a hundred that wait hold up nobody, and each gets its own answer when it is there", async () => {
    const clients = Array.from({ length: 100 }, () => new Conversation(clear(world.port(80))));
    for (const [index, client] of clients.entries()) client.send(get(`/poll/${index}`));
    const answers = await polls(clients.length);
    using other = new Conversation(clear(world.port(80)));
    expect((await other.ask(get("/now"))).body).toBe("now");
    for (const answer of answers.toReversed()) answer.end(answer.req.url);
    const bodies = await Promise.all(clients.map(async (client) => client.receive(hasWholeMessage)));
    expect(bodies.map((text) => text.split("\r\n\r\n")[1])).toEqual(clients.map((_, index) => `/poll/${index}`));
    for (const client of clients) client[Symbol.dispose]();
  });

  test("the part that is there arrives before the rest is written, with and without a length", async () => {
    using client = new Conversation(clear(world.port(80)));
    for (const head of [{}, { "content-length": "8" }]) {
      client.send(get("/poll/parts"));
      const [answer] = await polls(1);
      answer?.writeHead(200, head);
      answer?.write("half");
      await client.receive((text) => text.includes("half"));
      answer?.end("rest");
      await client.receive((text) => text.includes("rest") && ("content-length" in head || text.endsWith("0\r\n\r\n")));
    }
  });

  test("a client that gives up lets its backend go", async () => {
    const client = new Conversation(clear(world.port(80)));
    client.send(get("/poll/gone"));
    const [answer] = await polls(1);
    const gone = once(answer as ServerResponse, "close");
    client[Symbol.dispose]();
    await gone;
  });

  test.runIf(offersHttp2(lane))("over HTTP/2 they wait side by side on one connection", async () => {
    const session = connect(`https://127.0.0.1:${world.port(443)}`, { servername: host, ca: authority.certificatePem });
    const streams = Array.from({ length: 50 }, (_, index) =>
      session.request({ ":path": `/poll/${index}`, ":authority": host }).setEncoding("utf8"),
    );
    const answers = await polls(streams.length);
    const bodies = Promise.all(streams.map((stream) => once(stream, "data")));
    for (const answer of answers.toReversed()) answer.end(answer.req.url);
    expect((await bodies).map(([body]) => body as string)).toEqual(streams.map((_, index) => `/poll/${index}`));
    session.destroy();
  });
});
