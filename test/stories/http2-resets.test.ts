// RST_STREAM of an HTTP/2 upstream in the middle of its answer is never taken for the end, on any engine; and a client's reset reaches
// the upstream.
import { EventEmitter, once } from "node:events";
import { constants, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  documents,
  gatewayResource,
  httpServer,
  httpsServer,
  serviceOn,
  tlsSecret,
  virtualService,
} from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { Http2Client } from "../support/http2-client.ts";

const host = "app.example";
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });

/** Tells every stream it has begun to answer. */
const begun = new EventEmitter();
const backend = createServer();
backend.on("stream", (stream: ServerHttp2Stream, headers) => {
  stream.on("error", () => undefined);
  stream.respond({ ":status": 200 });
  stream.write("part of it", () => {
    if (headers[":path"] === "/broken") stream.destroy(new Error("broken"));
    else begun.emit("stream", stream);
  });
});
backend.listen(0, "127.0.0.1");
await once(backend, "listening");
afterAll(() => backend.close());

const config = documents(
  gatewayResource("app", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("app", { hosts: [host], gateways: ["app"], destination: "app" }),
  ...serviceOn("app", { name: "http2", port: 8000 }, [(backend.address() as AddressInfo).port]),
  tlsSecret("app", certificate),
);

describe.each(engineLanes)("$name:", ({ edge }) => {
  let world: Gateway;
  beforeAll(async () => {
    world = await gateway({ config: { "app.yaml": config }, edge: { ...edge, workers: 1 } });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("a client of HTTP/1.1 sees its transfer break off", async () => {
    const { code, status } = await curl("-H", `Host: ${host}`, world.url(80, "/broken"));
    // 18: the transfer ended early; 56: the connection was reset.
    expect([18, 56]).toContain(code);
    expect(status).toBe(200);
  });

  test.runIf(edge["engine"] === "node")(
    "a client of HTTP/2 sees a reset, and its own reaches the upstream",
    async () => {
      await using client = await Http2Client.connect(world.port(443), host, authority.certificatePem);
      const broken = await client.request({ ":path": "/broken", ":authority": host });
      expect(broken).toMatchObject({ status: 200, isComplete: false });
      const serving = once(begun, "stream");
      const stream = client.session.request({ ":path": "/endless", ":authority": host });
      const [upstream] = (await serving) as [ServerHttp2Stream];
      const closed = once(upstream, "close");
      stream.close(constants.NGHTTP2_CANCEL);
      await closed;
      expect(upstream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    },
  );
});
