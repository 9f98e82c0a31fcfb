// WebSocket from a real client through the gateway to a real server, on both engines and over HTTP/2.
import { once } from "node:events";
import { connect } from "node:http2";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { engineLanes } from "../support/engines.ts";
import type { Gateway } from "../support/gateway.ts";
import { host, protocolWorld } from "../support/protocol-world.ts";

const httpbin = await startHttpbin();
afterAll(() => httpbin.close());

describe.each(engineLanes)("$name:", (lane) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await protocolWorld(lane, { ws: httpbin.port, status: httpbin.port });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const open = (path = "/ws"): WebSocket => {
    const client = new WebSocket(`ws://127.0.0.1:${world.port(80)}${path}`, { headers: { host } });
    client.on("error", () => undefined);
    return client;
  };

  test("messages of every kind and size come back, and the close too", async () => {
    const client = open();
    await once(client, "open");
    for (const message of ["grüße", "", Buffer.alloc(1000, 1), Buffer.alloc(2_000_000, 2)]) {
      const echo = once(client, "message");
      client.send(message);
      // One after the other is the point.
      // eslint-disable-next-line no-await-in-loop
      const [data, isBinary] = (await echo) as [Buffer, boolean];
      expect(isBinary).toBe(typeof message !== "string");
      expect(data.equals(Buffer.from(message as string))).toBe(true);
    }
    const closed = once(client, "close");
    client.close(4000, "enough");
    expect((await closed)[0]).toBe(4000);
    expect(await world.metrics()).toMatch(/istio_requests_total\{[^}]*response_code="101"/);
  });

  test("a handshake that the backend refuses gets the backend's answer", async () => {
    const client = open("/status/418");
    const [, response] = (await once(client, "unexpected-response")) as [unknown, { statusCode: number }];
    expect(response.statusCode).not.toBe(101);
    client.terminate();
  });

  test("a draining edge lets a tunnel live for drainSeconds and then closes it", async () => {
    await using draining = await protocolWorld(lane, { ws: httpbin.port }, { drainSeconds: 1 });
    const client = new WebSocket(`ws://127.0.0.1:${draining.port(80)}/ws`, { headers: { host } });
    client.on("error", () => undefined);
    await once(client, "open");
    const closed = once(client, "close");
    draining.edge.process.kill("SIGTERM");
    await closed;
  });

  test.skipIf(lane.expected === "uws")("over HTTP/2 with extended CONNECT", async () => {
    const client = connect(`http://127.0.0.1:${world.port(80)}`);
    await once(client, "remoteSettings");
    const stream = client.request(
      {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "http",
        ":path": "/ws",
        ":authority": host,
        "sec-websocket-version": "13",
      },
      { endStream: false },
    );
    const [head] = await once(stream, "response");
    expect(head[":status"]).toBe(200);
    const echo = once(stream, "data");
    // A masked text frame "A" with key 0.
    stream.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x41]));
    expect([...((await echo)[0] as Buffer)]).toEqual([0x81, 0x01, 0x41]);
    client.destroy();
  });
});
