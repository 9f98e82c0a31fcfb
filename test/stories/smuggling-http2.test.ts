// HTTP/2 says things that HTTP/1.1 cannot: line ends inside values, lengths that are not the body's, fields that frame. Written out as
// HTTP/1.1 they would become a second request, so none of them may reach a backend. (RFC 9113, sections 8.2, 8.3 and 10.3.)
import { createAuthority } from "@sluice/demo/certificates";
import { startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpsServer, service, tlsSecret, virtualService } from "../support/config.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { hasStreamEnded, rawHttp2Request } from "../support/raw-http2.ts";
import { secure, talk } from "../support/raw-socket.ts";

const host = "app.example";
const backend = await startHttpbin();
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });
const config = documents(
  gatewayResource("web", [httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  virtualService("web", { hosts: [host], gateways: ["web"], destination: "httpbin" }),
  ...service("httpbin", backend.port),
  tlsSecret("app", certificate),
);

type Field = readonly [name: string, value: string];

interface Attack {
  readonly name: string;
  /** Take the place of the pseudo headers of the same name, or follow them. */
  readonly fields: readonly Field[];
  readonly body?: string;
  /** Node.js (nghttp2) leaves such a field out where RFC 9113 would have the request refused; what arrives is whole and clear. */
  readonly isLeftOut?: true;
}

const hidden = "GET /anything/hidden HTTP/1.1\r\nhost: app.example\r\n\r\n";
const split = `x\r\n\r\n${hidden}`;

const attacks: readonly Attack[] = [
  { name: "a line end in a value", isLeftOut: true, fields: [["x-split", split]] },
  { name: "a line feed in a value", isLeftOut: true, fields: [["x-split", split.replaceAll("\r", "")]] },
  { name: "NUL in a value", isLeftOut: true, fields: [["x-nul", "a\u0000b"]] },
  { name: "a line end in a name", isLeftOut: true, fields: [[`x-split: a\r\n\r\n${hidden}x`, "b"]] },
  { name: "a colon in a name", isLeftOut: true, fields: [["transfer-encoding: chunked\r\nx", "b"]] },
  { name: "a space in a name", isLeftOut: true, fields: [["transfer-encoding ", "chunked"]] },
  { name: "an upper-case name", fields: [["X-Upper", "b"]] },
  { name: "an empty name", isLeftOut: true, fields: [["", "b"]] },
  { name: "a transfer coding", fields: [["transfer-encoding", "chunked"]], body: `0\r\n\r\n${hidden}` },
  { name: "a connection field", fields: [["connection", "keep-alive"]] },
  { name: "a length below the body's", fields: [["content-length", "3"]], body: `abc${hidden}` },
  { name: "a length of 0 with a body", fields: [["content-length", "0"]], body: hidden },
  { name: "a length above the body's", fields: [["content-length", "1000"]], body: "abc" },
  { name: "a length without a body", fields: [["content-length", "5"]] },
  {
    name: "two lengths",
    fields: [
      ["content-length", "3"],
      ["content-length", "4"],
    ],
    body: "abc",
  },
  { name: "a length that is none", fields: [["content-length", "3, 3"]], body: "abc" },
  { name: "a line end in the path", fields: [[":path", `/anything HTTP/1.1\r\nhost: app.example\r\n\r\n${hidden}`]] },
  { name: "a space in the path", fields: [[":path", "/anything HTTP/1.1 x"]] },
  { name: "a path without slash", fields: [[":path", "anything"]] },
  { name: "an empty path", fields: [[":path", ""]] },
  { name: "a line end in the method", fields: [[":method", `GET / HTTP/1.1\r\nx: y\r\n\r\nGET`]] },
  { name: "a space in the method", fields: [[":method", "GET /anything/hidden HTTP/1.1"]] },
  { name: "a tab in the method", fields: [[":method", "GET\t/anything/hidden"]] },
  { name: "CONNECT", fields: [[":method", "CONNECT"]] },
  { name: "a line end in the authority", fields: [[":authority", `app.example\r\n\r\n${hidden}`]] },
  { name: "a user in the authority", fields: [[":authority", "x@app.example"]] },
  { name: "a path in the authority", fields: [[":authority", "app.example/x"]] },
  { name: "another host", fields: [["host", "other.example"]] },
  {
    name: "a pseudo header behind the others",
    fields: [
      ["x-a", "b"],
      [":path", "/anything/hidden"],
    ],
  },
  { name: "an unknown pseudo header", fields: [[":unknown", "x"]] },
];

function toFields(attack: Attack): Field[] {
  const replaced = new Set(attack.fields[0]?.[0].startsWith(":") ? attack.fields.map(([name]) => name) : []);
  const method = attack.body === undefined ? "GET" : "POST";
  const usual: Field[] = [
    [":method", method],
    [":scheme", "https"],
    [":authority", host],
    [":path", "/anything/attack"],
  ];
  return [...usual.filter(([name]) => !replaced.has(name)), ...attack.fields];
}

afterAll(() => backend.close());

describe.each(["node", "own"])("HTTP/2, read by codec %s, towards an HTTP/1.1 backend", (codec) => {
  let world: Gateway;
  const send = async (fields: readonly Field[], body?: string) => {
    const options = { servername: host, ca: authority.certificatePem, ALPNProtocols: ["h2"] };
    return talk(secure(world.port(443), options), rawHttp2Request(fields, body), { until: hasStreamEnded });
  };

  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, ports: [443], edge: { codec } });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  test("an honest request written by hand arrives, so the refusals below are of what is wrong with them", async () => {
    const honest: Attack = { name: "honest", fields: [["content-length", "3"]], body: "abc" };
    const before = backend.requests.length;
    await send(toFields(honest), honest.body);
    expect(backend.requests.slice(before).map(({ url, bodyBytes }) => [url, bodyBytes])).toEqual([
      ["/anything/attack", 3],
    ]);
  });

  test.each(attacks)("$name never becomes a second request at the backend", async (attack) => {
    const before = backend.requests.length;
    await send(toFields(attack), attack.body);
    // On the connection that the backend would have read the rest from.
    const marker: Attack = { name: "marker", fields: [[":path", "/anything/marker"]] };
    await send(toFields(marker));
    const arrived = backend.requests.slice(before).map(({ url }) => url);
    expect(arrived.at(-1)).toBe("/anything/marker");
    expect(arrived.filter((url) => url !== "/anything/attack" && url !== "/anything/marker")).toEqual([]);
    // A wrong length shows when the head has left; then what arrived was cut off.
    const attacked = backend.requests.slice(before).filter(({ url }) => url === "/anything/attack");
    const wasCutOff = attack.body !== undefined && attack.fields.some(([name]) => name === "content-length");
    expect(attacked.length).toBeLessThanOrEqual(wasCutOff || attack.isLeftOut ? 1 : 0);
    for (const { rawHeaders } of attacked) {
      const framing = rawHeaders.filter(
        (name, index) => index % 2 === 0 && /^(content-length|transfer-encoding)$/i.test(name),
      );
      expect(framing.length).toBeLessThanOrEqual(1);
      if (attack.isLeftOut) {
        expect(framing).toEqual([]);
        expect(rawHeaders.filter((text) => /[\r\n\0]|split|nul/.test(text))).toEqual([]);
      }
    }
  });
});
