// Bodies far larger than any memory: the worker does not grow with what passes, and a client that reads a drop at a time keeps nobody
// waiting, nor one that sends so. SLUICE_BODY_MIB=1024 sends a gibibyte each way.
import { once } from "node:events";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
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
  serviceOn,
  tlsSecret,
  virtualService,
} from "../support/config.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { startLargeBodyBackend } from "../support/large-body-backend.ts";

/** By what protocol Sluice reaches the backend of a host. */
const hosts = { h1: "app.example", h2: "h2.example" } as const;
type Upstream = keyof typeof hosts;
const MiB = 1024 * 1024;
const totalMiB = Number(process.env["SLUICE_BODY_MIB"] ?? 128);
/** What is allocated once, by the engine and by V8, is no growth. */
const warmUpMiB = 128;
const maxGrowthBytes = 64 * MiB;
const piece = Buffer.alloc(MiB, "sluice");

const httpbin = await startHttpbin();
const http2Backend = await startLargeBodyBackend();
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: Object.values(hosts) });
const ca = authority.certificatePem;
afterAll(() => Promise.all([httpbin.close(), http2Backend.close()]));

const config = documents(
  gatewayResource("app", [
    httpServer(Object.values(hosts)),
    httpsServer(Object.values(hosts), { mode: "SIMPLE", credentialName: "app" }),
  ]),
  virtualService("h1", { hosts: [hosts.h1], gateways: ["app"], destination: "httpbin" }),
  virtualService("h2", { hosts: [hosts.h2], gateways: ["app"], destination: "http2-backend" }),
  ...service("httpbin", httpbin.port),
  ...serviceOn("http2-backend", { name: "http2", port: 8000 }, [http2Backend.port]),
  tlsSecret("app", certificate),
);

/** A request under way: what is written is its body. */
interface Transfer {
  readonly request: Writable;
  readonly response: Promise<Readable>;
}

type Open = (method: string, path: string) => Transfer;

function overHttp1(world: Gateway, host: string, isTls: boolean): Open {
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

function overHttp2(session: ClientHttp2Session, host: string): Open {
  return (method, path) => {
    const fields = { ":method": method, ":path": path, ":authority": host };
    const stream = session.request(fields, { endStream: method === "GET" });
    return { request: stream, response: once(stream, "response").then(() => stream) };
  };
}

function connectSecure(port: number, host: string): ClientHttp2Session {
  return connectHttp2(`https://127.0.0.1:${port}`, { ca, servername: host });
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

interface Lane {
  readonly name: string;
  readonly isTls: boolean;
  readonly isHttp2: boolean;
  readonly upstream: Upstream;
}

const everyEngine: readonly Lane[] = [
  { name: "HTTP/1.1", isTls: false, isHttp2: false, upstream: "h1" },
  { name: "HTTP/1.1 in TLS", isTls: true, isHttp2: false, upstream: "h1" },
  { name: "HTTP/1.1 to an HTTP/2 backend", isTls: false, isHttp2: false, upstream: "h2" },
];
const engineNode: readonly Lane[] = [
  { name: "HTTP/2 in TLS", isTls: true, isHttp2: true, upstream: "h1" },
  { name: "HTTP/2 without TLS", isTls: false, isHttp2: true, upstream: "h1" },
  { name: "HTTP/2 without TLS to an HTTP/2 backend", isTls: false, isHttp2: true, upstream: "h2" },
];
const lanes = engineLanes.flatMap(({ name, edge, expected }) =>
  [...everyEngine, ...(edge["engine"] === "node" ? engineNode : [])].map((lane) => ({
    ...lane,
    name: `${name}, ${lane.name}`,
    edge,
    expected,
  })),
);

describe.each(lanes)("$name:", ({ edge, expected, isTls, isHttp2, upstream }) => {
  let world: Gateway;
  let session: ClientHttp2Session | null = null;
  let open: Open;
  beforeAll(async () => {
    world = await gateway({
      config: { "app.yaml": config },
      edge: { ...edge, workers: 1, accessLog: { path: "off" } },
    });
    const host = hosts[upstream];
    if (isHttp2) session = isTls ? connectSecure(world.port(443), host) : connectHttp2(world.url(80));
    open = session === null ? overHttp1(world, host, isTls) : overHttp2(session, host);
  });
  afterAll(async () => {
    session?.destroy();
    await world[Symbol.asyncDispose]();
  });

  const residentBytes = async () =>
    Number(/^sluice_worker_resident_memory_bytes\{[^}]*\} (\S+)$/m.exec(await world.metrics())?.[1]);

  test(`${totalMiB} MiB each way leave the worker as small as it was`, { timeout: 180_000 }, async () => {
    expect(world.engine(isTls ? 443 : 80)).toBe(expected);
    await download(open, warmUpMiB);
    await upload(open, warmUpMiB);
    const before = await residentBytes();
    expect(await download(open, totalMiB)).toBe(totalMiB * MiB);
    expect((await residentBytes()) - before).toBeLessThan(maxGrowthBytes);
    expect(await upload(open, totalMiB)).toBe(totalMiB * MiB);
    expect((await residentBytes()) - before).toBeLessThan(maxGrowthBytes);
  });

  test("clients that read and send 1 KiB a second leave the others their pace", async () => {
    const slow = await open("GET", `/bytes/${64 * MiB}`).response;
    const sending = open("POST", "/upload");
    sending.response.catch(() => {});
    let isGoingOn = true;
    const trickle = (async () => {
      while (isGoingOn) {
        slow.read(1024);
        sending.request.write(piece.subarray(0, 1024));
        // A real pace is what the story is about.
        await delay(1000);
      }
    })();
    // All of it while the slow ones have moved a few KiB.
    expect(await download(open, 64)).toBe(64 * MiB);
    expect(await upload(open, 64)).toBe(64 * MiB);
    isGoingOn = false;
    slow.destroy();
    sending.request.on("error", () => {}).destroy();
    await trickle;
  });
});
