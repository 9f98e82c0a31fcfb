// `Expect: 100-continue` and other interim answers: a client that waits for its 100 gets exactly one, from Sluice, whatever the backend says;
// an expectation that nobody knows is 417; other interim answers pass where the engine can send them.
import { createServer } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "@sluice/demo/certificates";
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
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { gateway, type Gateway } from "../support/gateway.ts";
import { clear, Conversation, secure, statusesIn, talk } from "../support/raw-socket.ts";

const host = "app.example";
const bodyBytes = 300_000;
const authority = await createAuthority({ commonName: "story ca" });
const issued = await authority.issue({ commonName: "app", dnsNames: [host] });
let files = "";

/** Targets of the requests that reached the backend. */
const reached: string[] = [];

const backend = createServer((request, response) => {
  reached.push(request.url ?? "");
  switch (request.url ?? "") {
    case "/eager":
      // Says 100 itself, twice, although nobody asks it to: Sluice takes `expect` out.
      response.writeContinue();
      request.socket.write("HTTP/1.1 100 Continue\r\nx-mine: 1\r\n\r\n");
      break;
    case "/hints":
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      break;
    case "/refuse":
      response.writeHead(403).end();
      return;
    default:
  }
  let bodyLength = 0;
  request.on("data", (chunk: Buffer) => (bodyLength += chunk.length));
  request.on("end", () => response.end(`${bodyLength} ok`));
});
backend.listen(0, "127.0.0.1");
await once(backend, "listening");

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), "sluice-story-expect-"));
  await writeFile(join(files, "ca.pem"), authority.certificatePem);
  await writeFile(join(files, "body"), randomBytes(bodyBytes));
});

afterAll(async () => {
  backend.closeAllConnections();
  backend.close();
  await rm(files, { recursive: true });
});

const config = documents(
  gatewayResource("app", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("app", { hosts: [host], gateways: ["app"], destination: "backend" }),
  tlsSecret("app", issued),
  ...service("backend", (backend.address() as AddressInfo).port),
);

const head = (path: string, ...lines: readonly string[]) =>
  [`POST ${path} HTTP/1.1`, `host: ${host}`, ...lines, "", ""].join("\r\n");

const countOf = (text: string, part: string) => text.split(part).length - 1;

describe.each(engineLanes)("$name:", ({ edge, expected }) => {
  let world: Gateway;
  const isUws = expected === "uws";

  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, edge: { workers: 1, ...edge } });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const open = {
    clear: () => clear(world.port(80)),
    tls: () => secure(world.port(443), { servername: host, rejectUnauthorized: false }),
  };

  describe.each(["clear", "tls"] as const)("HTTP/1.1 on %s", (door) => {
    test.each(["content-length: 3", "transfer-encoding: chunked"])(
      "one 100 comes before the body is sent, and none of the backend's (%s)",
      async (framing) => {
        using conversation = new Conversation(open[door]());
        // uWebSockets.js knows it in lower case only; without its 100 a client sends the body when it has waited for long enough.
        conversation.send(head("/eager", isUws ? "expect: 100-continue" : "Expect: 100-Continue", framing));
        const interim = await conversation.receive((text) => text.includes("\r\n\r\n"));
        expect(interim).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
        conversation.send(framing.includes("chunked") ? "3\r\nabc\r\n0\r\n\r\n" : "abc");
        const answer = interim + (await conversation.receive((text) => text.endsWith("ok")));
        expect([countOf(answer, "100 Continue"), countOf(answer, "200 OK"), countOf(answer, "x-mine")]).toEqual([
          1, 1, 0,
        ]);
      },
    );

    test("an answer Sluice has at once comes instead of 100", async () => {
      const request = head("/x", "expect: 100-continue", "content-length: 3").replace(host, "nobody.example");
      const { text } = await talk(open[door](), request, { until: (received) => received.includes(" 404 ") });
      expect(statusesIn(text).at(-1)).toBe(404);
      // uWebSockets.js says 100 before it asks anyone.
      if (!isUws) expect(statusesIn(text)).toEqual([404]);
    });

    test("an expectation nobody knows is 417 and reaches no backend", async () => {
      const before = reached.length;
      for (const value of ["200-ok", "100-continue, 200-ok", "100-continued", "x=100-continue"]) {
        const { text } = await talk(open[door](), head("/plain", `expect: ${value}`, "content-length: 0"));
        // uWebSockets.js answers every request that names 100-continue before it asks anyone.
        expect(statusesIn(text).filter((status) => status !== 100)).toEqual([417]);
      }
      expect(reached.length).toBe(before);
    });

    test("103 Early Hints passes where the engine can send it", async () => {
      const request = head("/hints", "connection: close", "content-length: 0");
      const { text } = await talk(open[door](), request, { until: (received) => received.endsWith("ok") });
      expect(statusesIn(text)).toEqual(isUws ? [200] : [103, 200]);
      expect(text.includes("link: </a.css>")).toBe(!isUws);
    });
  });

  const versions = isUws || edge["alpn"] !== undefined ? ["--http1.1"] : ["--http1.1", "--http2"];

  describe.each(versions)("curl %s", (version) => {
    const upload = (path: string) => {
      const url = `https://${host}${path}`;
      const to = ["--connect-to", `${host}:443:127.0.0.1:${world.port(443)}`, "--cacert", join(files, "ca.pem")];
      const expectation = ["-H", "Expect: 100-continue", "--expect100-timeout", "15"];
      return curl(version, ...to, ...expectation, "--data-binary", `@${join(files, "body")}`, url);
    };

    test("a large upload that waits for its 100 gets it and arrives", async () => {
      const { status, rawHead, body } = await upload("/upload");
      expect([status, body]).toEqual([200, `${bodyBytes} ok`]);
      expect(rawHead).toMatch(/^HTTP\/(1\.1|2) 100/);
    });

    test("a backend's refusal reaches a client whose body nobody wants", async () => {
      expect((await upload("/refuse")).status).toBe(403);
    });
  });

  test.skipIf(isUws || edge["alpn"] !== undefined)("HTTP/2: one 100, early hints, 417", async () => {
    const session = connectHttp2(`https://127.0.0.1:${world.port(443)}`, {
      servername: host,
      ca: authority.certificatePem,
    });
    const ask = (path: string, fields: Readonly<Record<string, string>>) =>
      new Promise<number[]>((resolve, reject) => {
        const statuses: number[] = [];
        const stream = session.request({ ":method": "POST", ":path": path, ":authority": host, ...fields });
        stream.on("continue", () => stream.end("abc"));
        stream.on("headers", (received) => statuses.push(Number(received[":status"])));
        stream.on("response", (received) => statuses.push(Number(received[":status"])));
        stream
          .on("error", reject)
          .on("close", () => resolve(statuses))
          .resume();
        if (fields["expect"] !== "100-continue") stream.end();
      });
    expect(await ask("/eager", { expect: "100-continue", "content-length": "3" })).toEqual([100, 200]);
    expect(await ask("/hints", {})).toEqual([103, 200]);
    expect(await ask("/plain", { expect: "200-ok" })).toEqual([417]);
    session.destroy();
  });
});
