// What RFC 9113 and RFC 7541 ask of a server (test/support/http2-cases.ts), put to a whole gateway over TLS: one connection a case.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { type Frame, framesOf, preface, settings } from "@sluice/http2-frames";
import { createAuthority } from "@sluice/demo/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpsServer, secret, service, virtualService } from "../support/config.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { type Http2Case, http2Cases } from "../support/http2-cases.ts";

const authority = await createAuthority({ commonName: "servers" });
const server = await authority.issue({ commonName: "gateway", dnsNames: ["a.example"] });
/** Answers when it has the whole request: until then the client's streams stay as it left them. */
const backend = createServer((request, response) => {
  request.resume().once("end", () => response.end("hello"));
});
backend.listen(0, "127.0.0.1");
await once(backend, "listening");

const config = documents(
  gatewayResource("app", [httpsServer(["*"], { mode: "SIMPLE", credentialName: "a-example" })]),
  virtualService("app", { hosts: ["*"], gateways: ["app"], destination: "backend" }),
  secret("a-example", { "tls.crt": server.chainPem, "tls.key": server.keyPem }),
  ...service("backend", (backend.address() as AddressInfo).port),
);

let world: Gateway;
beforeAll(async () => {
  const edge = { workers: 1, engine: "node", codec: "own" };
  world = await gateway({ config: { "site.yaml": config }, edge, ports: [443] });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  backend.closeAllConnections();
  backend.close();
});

interface Verdict {
  readonly outcome: string;
  readonly frames: readonly Frame[];
}

/** Sends what the case says, and reads until its outcome is known or the connection ends. */
function put({ bytes, isRaw, later, outcome }: Http2Case): Promise<Verdict> {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", servername: "a.example", ca: authority.certificatePem, ALPNProtocols: ["h2"] };
    const socket = connect({ port: world.port(443), ...options });
    let received: Buffer = Buffer.alloc(0);
    let rest = later;
    const look = (): Verdict => ({ outcome: outcome(framesOf(received)), frames: framesOf(received) });
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(look()));
    socket.once("secureConnect", () => socket.write(isRaw ? bytes : Buffer.concat([preface, settings(), bytes])));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (rest !== null && framesOf(received).some(({ type }) => type === 0)) {
        socket.write(rest);
        rest = null;
      }
      if (rest === null && look().outcome !== "pending") socket.destroy();
    });
  });
}

describe("a gateway over TLS", () => {
  test.each(http2Cases.map((entry) => [entry.section, entry.claim, entry] as const))(
    "%s: %s",
    async (_section, _claim, entry) => {
      const { outcome, frames } = await put(entry);
      expect(
        outcome,
        frames.map(({ type, stream, payload }) => `${type}/${stream}/${payload.toString("hex")}`).join(" "),
      ).toBe("met");
    },
  );
});
