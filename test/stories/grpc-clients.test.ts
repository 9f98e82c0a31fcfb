// gRPC between a real client and a real server (grpc-js), over TLS and without, to upstreams that say in both ways that they speak it.
import { once } from "node:events";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { documents, gatewayResource, httpsServer, serviceOn, tlsSecret } from "../support/config.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { GrpcBackend, GrpcClient } from "../support/grpc-backend.ts";

const host = "grpc.example";
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "grpc", dnsNames: [host] });
const backend = await GrpcBackend.start(["named.Echo", "declared.Echo"]);
const mortal = await GrpcBackend.start(["mortal.Echo"]);

const to = (prefix: string, destination: string) => ({
  match: [{ uri: { prefix } }],
  route: [{ destination: { host: destination, port: { number: 8000 } } }],
});
const plain = (number: number, protocol: string) => ({
  port: { number, name: `port-${number}`, protocol },
  hosts: [host],
});
const config = documents(
  gatewayResource("grpc", [
    plain(80, "GRPC"),
    plain(8080, "HTTP2"),
    httpsServer([host], { mode: "SIMPLE", credentialName: "grpc" }),
  ]),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "grpc" },
    spec: {
      hosts: [host],
      gateways: ["grpc"],
      http: [
        to("/named.Echo/", "named"),
        to("/declared.Echo/", "declared"),
        to("/mortal.Echo/", "mortal"),
        to("/empty.Echo/", "empty"),
      ],
    },
  },
  ...serviceOn("named", { name: "grpc", port: 8000 }, [backend.port]),
  ...serviceOn("declared", { name: "web", port: 8000, appProtocol: "kubernetes.io/h2c" }, [backend.port]),
  ...serviceOn("mortal", { name: "grpc-mortal", port: 8000 }, [mortal.port]),
  ...serviceOn("empty", { name: "grpc", port: 8000 }, []),
  tlsSecret("grpc", certificate),
);

let world: Gateway;
beforeAll(async () => {
  world = await gateway({ config: { "grpc.yaml": config }, edge: { workers: 1 }, ports: [80, 8080, 443] });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  backend.close();
  mortal.close();
});

/** A client with a connection of its own, closed with the test. */
function clientOf(service: string, port: number): GrpcClient {
  const security =
    port === 443 ? credentials.createSsl(Buffer.from(authority.certificatePem)) : credentials.createInsecure();
  const names = { "grpc.default_authority": host, "grpc.ssl_target_name_override": host };
  const pool = { "grpc.use_local_subchannel_pool": 1 };
  const client = new Client(`127.0.0.1:${world.port(port)}`, security, { ...names, ...pool });
  onTestFinished(() => client.close());
  return new GrpcClient(client, service);
}

const doors = [
  { door: "TLS", port: 443, service: "named.Echo" },
  { door: "a GRPC port", port: 80, service: "named.Echo" },
  { door: "an HTTP2 port", port: 8080, service: "declared.Echo" },
];

describe.each(doors)("through $door to $service", ({ port, service }) => {
  test("a unary call carries metadata both ways, text and binary, and ends OK", async () => {
    const metadata = new Metadata();
    metadata.set("x-story", "told");
    metadata.set("x-story-bin", Buffer.from([0, 255, 10, 13]));
    const arrived = backend.next("Unary");
    const { call, outcome } = clientOf(service, port).unary(Buffer.from("hello"), { metadata });
    const [initial, ended] = [once(call, "metadata"), once(call, "status")];
    const [served, reply] = await arrived;
    expect(served.request.toString()).toBe("hello");
    expect(served.metadata.get("x-story")).toEqual(["told"]);
    expect(served.metadata.get("x-story-bin")).toEqual([Buffer.from([0, 255, 10, 13])]);
    const [first, last] = [new Metadata(), new Metadata()];
    first.set("x-first", "1");
    last.set("x-last", "2");
    last.set("x-last-bin", Buffer.from([1, 0]));
    served.sendMetadata(first);
    reply(null, Buffer.from("world"), last);
    expect((await outcome).message?.toString()).toBe("world");
    expect(((await initial)[0] as Metadata).get("x-first")).toEqual(["1"]);
    const [end] = (await ended) as [{ code: number; metadata: Metadata }];
    expect(end.code).toBe(status.OK);
    expect(end.metadata.get("x-last")).toEqual(["2"]);
    expect(end.metadata.get("x-last-bin")).toEqual([Buffer.from([1, 0])]);
  });

  test("a server's own status, message and trailers reach the client", async () => {
    const arrived = backend.next("Unary");
    const { outcome } = clientOf(service, port).unary(Buffer.from("x"));
    const [, reply] = await arrived;
    const metadata = new Metadata();
    metadata.set("x-why", "because");
    reply({ code: status.FAILED_PRECONDITION, details: "not now: grüße, 50%", metadata });
    const { error } = await outcome;
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: "not now: grüße, 50%" });
    expect(error?.metadata.get("x-why")).toEqual(["because"]);
  });

  test("a client's stream reaches the server message by message", async () => {
    const arrived = backend.next("Upload");
    const { call, outcome } = clientOf(service, port).upload();
    call.write(Buffer.from("0"));
    const [served, reply] = await arrived;
    expect(String((await once(served, "data"))[0])).toBe("0");
    for (const text of ["1", "2"]) {
      const received = once(served, "data");
      call.write(Buffer.from(text));
      // The next message is sent when this one has arrived: nothing waits for more.
      // eslint-disable-next-line no-await-in-loop
      expect(String((await received)[0])).toBe(text);
    }
    const ended = once(served, "end");
    call.end();
    await ended;
    reply(null, Buffer.from("three"));
    expect((await outcome).message?.toString()).toBe("three");
  });

  test("a server's stream reaches the client message by message", async () => {
    const arrived = backend.next("Download");
    const call = clientOf(service, port).download(Buffer.from("go"));
    const [served] = await arrived;
    for (const text of ["0", "1", "2"]) {
      const received = once(call, "data");
      served.write(Buffer.from(text));
      // The next message is sent when this one has arrived: nothing waits for more.
      // eslint-disable-next-line no-await-in-loop
      expect(String((await received)[0])).toBe(text);
    }
    const ended = once(call, "status");
    served.end();
    expect((await ended)[0]).toMatchObject({ code: status.OK });
  });

  test("in a stream both ways either side speaks when it likes", async () => {
    const arrived = backend.next("Talk");
    const call = clientOf(service, port).talk();
    const [served] = await arrived;
    const greeting = once(call, "data");
    served.write(Buffer.from("you first?"));
    expect(String((await greeting)[0])).toBe("you first?");
    const answer = once(served, "data");
    call.write(Buffer.from("no, you"));
    expect(String((await answer)[0])).toBe("no, you");
    const [clientEnded, serverEnded] = [once(call, "status"), once(served, "end")];
    call.end();
    await serverEnded;
    // Half-closed: the server still has something to say.
    const farewell = once(call, "data");
    served.write(Buffer.from("bye"));
    expect(String((await farewell)[0])).toBe("bye");
    served.end();
    expect((await clientEnded)[0]).toMatchObject({ code: status.OK });
  });

  test("a client that cancels is heard by the server", async () => {
    const arrived = backend.next("Download");
    const call = clientOf(service, port).download(Buffer.from("go"));
    const [served] = await arrived;
    const cancelled = once(served, "cancelled");
    const failed = once(call, "error");
    call.cancel();
    expect((await failed)[0]).toMatchObject({ code: status.CANCELLED });
    await cancelled;
  });

  test("a deadline is told to the server, and when it passes both sides know", async () => {
    const arrived = backend.next("Unary");
    const { outcome } = clientOf(service, port).unary(Buffer.from("x"), { deadline: Date.now() + 1000 });
    const [served] = await arrived;
    expect(Number(served.getDeadline())).toBeLessThan(Date.now() + 2000);
    const cancelled = once(served, "cancelled");
    expect((await outcome).error?.code).toBe(status.DEADLINE_EXCEEDED);
    await cancelled;
  });
});

test("three megabytes and two hundred calls at once come back as they went", async () => {
  const stop = backend.echoUnary();
  onTestFinished(stop);
  const client = clientOf("named.Echo", 443);
  const large = Buffer.alloc(3_000_000, "sluice");
  expect((await client.unary(large).outcome).message?.equals(large)).toBe(true);
  const calls = Array.from({ length: 200 }, (_, index) => client.unary(Buffer.from(`call ${index}`)).outcome);
  const texts = (await Promise.all(calls)).map(({ message }) => message?.toString());
  expect(texts).toEqual(Array.from({ length: 200 }, (_, index) => `call ${index}`));
});

test("a server that dies amid a stream is an error to the client, never the stream's end", async () => {
  const arrived = mortal.next("Download");
  const call = clientOf("mortal.Echo", 443).download(Buffer.from("go"));
  const failed = once(call, "error");
  const [served] = await arrived;
  served.on("error", () => undefined);
  call.on("data", () => mortal.close());
  served.write(Buffer.from("one"));
  const [error] = (await failed) as [{ code: number }];
  expect(error.code).not.toBe(status.OK);
});

describe.each(doors)("what Sluice itself says through $door", ({ port }) => {
  test("no route is UNIMPLEMENTED, no endpoint is UNAVAILABLE", async () => {
    const nowhere = await clientOf("nowhere.Echo", port).unary(Buffer.from("x")).outcome;
    expect(nowhere.error).toMatchObject({ code: status.UNIMPLEMENTED, details: "route_not_found" });
    const empty = await clientOf("empty.Echo", port).unary(Buffer.from("x")).outcome;
    expect(empty.error?.code).toBe(status.UNAVAILABLE);
    const streaming = clientOf("empty.Echo", port).upload();
    streaming.call.on("error", () => undefined);
    streaming.call.write(Buffer.from("x"));
    expect((await streaming.outcome).error?.code).toBe(status.UNAVAILABLE);
  });
});
