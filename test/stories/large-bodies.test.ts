// Bodies far larger than any memory: the worker does not grow with what passes, and a client that reads a drop at a time keeps nobody
// waiting. A gibibyte each way.
import { once } from "node:events";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
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
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { Http2Client } from "../support/http2-client.ts";

const host = "app.example";
const MiB = 1024 * 1024;
const totalMiB = 1024;
/** What is allocated once, by the engine and by V8, is no growth. */
const warmUpMiB = 128;
const maxGrowthBytes = 64 * MiB;
const piece = Buffer.alloc(MiB, "sluice");

const httpbin = await startHttpbin();
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });
const ca = authority.certificatePem;
afterAll(() => httpbin.close());

const config = documents(
  gatewayResource("app", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("app", { hosts: [host], gateways: ["app"], destination: "httpbin" }),
  ...service("httpbin", httpbin.port),
  tlsSecret("app", certificate),
);

/** A request under way: what is written is its body. */
interface Transfer {
  readonly request: Writable;
  readonly response: Promise<Readable>;
}

type Open = (method: string, path: string) => Transfer;

function overHttp1(world: Gateway, isTls: boolean): Open {
  return (method, path) => {
    const options = { host: "127.0.0.1", method, path, headers: { host }, agent: false } as const;
    const request = isTls
      ? requestHttps({ ...options, port: world.port(443), ca, servername: host })
      : requestHttp({ ...options, port: world.port(80) });
    const response = once(request, "response").then(([message]) => message as IncomingMessage);
    if (method === "GET") request.end();
    return { request, response };
  };
}

function overHttp2({ session }: Http2Client): Open {
  return (method, path) => {
    const fields = { ":method": method, ":path": path, ":authority": host };
    const stream = session.request(fields, { endStream: method === "GET" });
    return { request: stream, response: once(stream, "response").then(() => stream) };
  };
}

async function countBytes(stream: Readable): Promise<number> {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await once(stream, "end");
  return bytes;
}

async function download(open: Open, mebibytes: number): Promise<number> {
  return countBytes(await open("GET", `/bytes/${mebibytes * MiB}?chunked=1`).response);
}

async function upload(open: Open, mebibytes: number): Promise<number> {
  const { request, response } = open("POST", "/upload");
  const answer = response.then(async (stream) => Buffer.concat((await stream.toArray()) as Buffer[]));
  for (let sent = 0; sent < mebibytes; sent++) {
    if (!request.write(piece)) await once(request, "drain");
  }
  request.end();
  return (JSON.parse(String(await answer)) as { bytes: number }).bytes;
}

const lanes = engineLanes.flatMap(({ name, edge, expected }) => [
  { name: `${name}, HTTP/1.1`, edge, expected, door: "clear" },
  { name: `${name}, HTTP/1.1 in TLS`, edge, expected, door: "tls" },
  ...(edge["engine"] === "node" ? [{ name: `${name}, HTTP/2 in TLS`, edge, expected, door: "h2" }] : []),
]);

describe.each(lanes)("$name:", ({ edge, expected, door }) => {
  let world: Gateway;
  let client: Http2Client | null = null;
  let open: Open;
  beforeAll(async () => {
    world = await gateway({
      config: { "app.yaml": config },
      edge: { ...edge, workers: 1, accessLog: { path: "off" } },
    });
    if (door === "h2") client = await Http2Client.connect(world.port(443), host, ca);
    open = client === null ? overHttp1(world, door === "tls") : overHttp2(client);
  });
  afterAll(async () => {
    await client?.[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const residentBytes = async () =>
    Number(/^sluice_worker_resident_memory_bytes\{[^}]*\} (\S+)$/m.exec(await world.metrics())?.[1]);

  test(`${totalMiB} MiB each way leave the worker as small as it was`, { timeout: 180_000 }, async () => {
    expect(world.engine(door === "clear" ? 80 : 443)).toBe(expected);
    await download(open, warmUpMiB);
    await upload(open, warmUpMiB);
    const before = await residentBytes();
    expect(await download(open, totalMiB)).toBe(totalMiB * MiB);
    expect((await residentBytes()) - before).toBeLessThan(maxGrowthBytes);
    expect(await upload(open, totalMiB)).toBe(totalMiB * MiB);
    expect((await residentBytes()) - before).toBeLessThan(maxGrowthBytes);
  });

  test("a client that reads 1 KiB a second leaves the others their pace", async () => {
    const slow = await open("GET", `/bytes/${64 * MiB}`).response;
    let isReading = true;
    const trickle = (async () => {
      while (isReading) {
        slow.read(1024);
        // A real pace is what the story is about.
        await delay(1000);
      }
    })();
    // All of it while the slow one has had a few KiB.
    expect(await download(open, 64)).toBe(64 * MiB);
    expect(await upload(open, 64)).toBe(64 * MiB);
    isReading = false;
    slow.destroy();
    await trickle;
  });
});
