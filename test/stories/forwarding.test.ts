// What a backend sees of a request, which backend sees it, and what the client gets back: the running product on both engines.
import { createAuthority } from "@sluice/demo/certificates";
import { type RecordedRequest, startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, httpsServer, service, tlsSecret } from "../support/config.ts";
import { engineLanes, offersHttp2 } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { Http2Client } from "../support/http2-client.ts";
import { clear, Conversation, readMessage, talk, hasWholeMessage } from "../support/raw-socket.ts";

const first = await startHttpbin({ name: "first" });
const second = await startHttpbin({ name: "second" });
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: ["h2.example"] });

const to = (host: string, weight?: number) => ({
  destination: { host, port: { number: 8000 } },
  ...(weight === undefined ? {} : { weight }),
});

/** `<name>.example`: what the match takes goes to the second backend, the rest to the first. */
function choice(name: string, ...match: readonly object[]): Record<string, unknown> {
  const http = [{ match, route: [to("second")] }, { route: [to("first")] }];
  return virtualService(name, http);
}

function virtualService(name: string, http: readonly object[]): Record<string, unknown> {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name },
    spec: { hosts: [`${name}.example`], gateways: ["web"], http },
  };
}

const config = documents(
  gatewayResource("web", [
    httpServer(["*.example"]),
    httpServer(["*.example"], { port: 81 }),
    httpsServer(["h2.example"], { mode: "SIMPLE", credentialName: "h2" }),
  ]),
  virtualService("all", [{ route: [to("first")] }]),
  virtualService("h2", [{ route: [to("first")] }]),
  virtualService("weights", [{ route: [to("first", 80), to("second", 20)] }]),
  choice("exact", { uri: { exact: "/anything/it" } }),
  choice("prefix", { uri: { prefix: "/anything/it" } }),
  choice("regex", { uri: { regex: "/anything/[a-c]+/\\d{2}" } }),
  choice("case", { uri: { prefix: "/anything/IT" }, ignoreUriCase: true }),
  choice("method", { method: { exact: "PUT" } }),
  choice("header", { headers: { "x-who": { exact: "me" } } }),
  choice("present", { headers: { "x-who": {} } }),
  choice("without", { withoutHeaders: { "x-who": {} } }),
  choice("query", { queryParams: { a: { exact: "1" } } }),
  choice("authority", { authority: { prefix: "authority.example:8" } }),
  choice("port", { port: 81 }),
  choice(
    "both",
    { uri: { prefix: "/anything/it" }, headers: { "x-who": { prefix: "m" } } },
    { method: { exact: "PUT" } },
  ),
  choice("gateway", { gateways: ["other"], uri: { prefix: "/" } }),
  ...service("first", first.port),
  ...service("second", second.port),
  tlsSecret("h2", certificate),
);

afterAll(() => Promise.all([first.close(), second.close()]));

/** Values of a header as the backend received them, in order. */
function values(request: RecordedRequest | undefined, name: string): string[] {
  const raw = request?.rawHeaders ?? [];
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name);
}

describe.each(engineLanes)("$name", ({ name: laneName, edge, expected }) => {
  // In paths: what one lane sent is not found by the other.
  const lane = laneName.replace(" ", "-");
  let world: Gateway;
  const seen = (path: string) => first.requests.findLast(({ url }) => url === path);

  /** Sends one request on a connection of its own. */
  async function send(head: string, body = "", port = 80) {
    const message = readMessage((await talk(clear(world.port(port)), head + body, { until: hasWholeMessage })).text);
    if (message === null) throw new Error(`no response to ${head}`);
    return message;
  }

  /** The name of the backend that answered. */
  async function chosen(
    name: string,
    options: { method?: string; path?: string; fields?: string; host?: string; port?: number } = {},
  ) {
    const { method = "GET", path = "/anything/x", fields = "", host = `${name}.example`, port = 80 } = options;
    const { status, body } = await send(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`, "", port);
    return status === 200 ? (JSON.parse(body) as { name: string }).name : status;
  }

  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, edge, ports: [80, 81, 443] });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  test("the listener is on the lane's engine", () => {
    expect(world.engine(80)).toBe(expected);
  });

  test("the backend sees the client's headers in their order, without those of one hop, and the gateway's own", async () => {
    const path = `/anything/${lane}/headers?x=%20&y`;
    const fields = [
      "Host: all.example:8080",
      "X-Two: 1",
      "Accept: */*",
      "X-Two: 2",
      "Connection: keep-alive, X-Hop",
      "X-Hop: 1",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "TE: trailers",
      "Upgrade: h2c",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Client-Cert: Hash=forged",
      "X-Envoy-Internal: false",
      "X-Envoy-Original-Path: /forged",
      "X-Request-Id: from-inside",
    ];
    expect((await send(`GET ${path} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`)).status).toBe(200);
    const request = seen(path);
    const names = request?.rawHeaders.filter((_, index) => index % 2 === 0);
    expect(names).toEqual([
      "host",
      "x-two",
      "accept",
      "x-two",
      // Envoy's one exception: that the client takes trailers is passed on, because the gateway passes trailers on.
      "te",
      "x-forwarded-for",
      "x-forwarded-proto",
      "x-envoy-internal",
      "x-request-id",
      "x-envoy-decorator-operation",
      "x-envoy-attempt-count",
      "x-b3-traceid",
      "x-b3-spanid",
      "x-b3-sampled",
      "traceparent",
    ]);
    expect(values(request, "host")).toEqual(["all.example:8080"]);
    expect(values(request, "x-two")).toEqual(["1", "2"]);
    expect(values(request, "x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(values(request, "x-forwarded-proto")).toEqual(["http"]);
    expect(values(request, "x-envoy-internal")).toEqual(["true"]);
    expect(values(request, "x-request-id")).toEqual(["from-inside"]);
    expect(values(request, "x-envoy-decorator-operation")).toEqual(["first.default.svc.cluster.local:8000/*"]);
    expect(values(request, "x-b3-sampled")).toEqual(["1"]);
  });

  test("behind another proxy the client is an outside one, whose request id is not believed", async () => {
    const path = `/anything/${lane}/proxied`;
    await send(
      `GET ${path} HTTP/1.1\r\nHost: all.example\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\nX-Request-Id: forged\r\n\r\n`,
    );
    expect(values(seen(path), "x-forwarded-for")).toEqual(["192.0.2.1,192.0.2.2,127.0.0.1"]);
    expect(values(seen(path), "x-envoy-external-address")).toEqual(["127.0.0.1"]);
    expect(values(seen(path), "x-request-id")).toEqual([expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)]);
  });

  test("traces go on: B3 with the client's span as parent, W3C with a span of the gateway's", async () => {
    const path = `/anything/${lane}/trace`;
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const fields = `X-B3-TraceId: ${trace}\r\nX-B3-SpanId: 00f067aa0ba902b7\r\nX-B3-Sampled: 0\r\ntraceparent: 00-${trace}-00f067aa0ba902b7-00\r\n`;
    await send(`GET ${path} HTTP/1.1\r\nHost: all.example\r\n${fields}\r\n`);
    expect(values(seen(path), "x-b3-traceid")).toEqual([trace]);
    expect(values(seen(path), "x-b3-parentspanid")).toEqual(["00f067aa0ba902b7"]);
    expect(values(seen(path), "x-b3-sampled")).toEqual(["0"]);
    const [span = ""] = values(seen(path), "x-b3-spanid");
    expect(values(seen(path), "traceparent")).toEqual([`00-${trace}-${span}-00`]);
    expect(span).not.toBe("00f067aa0ba902b7");
  });

  test("header bytes beyond ASCII pass as they are, or the request is refused", async () => {
    const path = `/anything/${lane}/bytes`;
    const utf8 = Buffer.from("grüße").toString("latin1");
    expect((await send(`GET ${path} HTTP/1.1\r\nHost: all.example\r\nX-Bytes: ${utf8}\r\n\r\n`)).status).toBe(200);
    expect(values(seen(path), "x-bytes")).toEqual([utf8]);
    const { status } = await send(`GET ${path}-raw HTTP/1.1\r\nHost: all.example\r\nX-Bytes: a\xe9\xffz\r\n\r\n`);
    // uWebSockets.js hands over what is no UTF-8 as an empty value; nobody may take that for what was sent.
    expect(status).toBe(expected === "uws" ? 400 : 200);
    expect(values(seen(`${path}-raw`), "x-bytes")).toEqual(expected === "uws" ? [] : ["a\xe9\xffz"]);
  });

  test.each([
    ["/status/../anything/y", "/anything/y"],
    ["/x/%2e%2E/anything/y", "/anything/y"],
    ["/x\\..\\anything\\y", "/anything/y"],
    ["/../../anything/./y", "/anything/y"],
    ["/%61nything/%79", "/anything/y"],
    ["/anything/a%2Fb%2e", "/anything/a%2Fb."],
    ["/anything//y/", "/anything//y/"],
    ["/anything/y?a=/../b", "/anything/y?a=/../b"],
  ])("%s is matched and forwarded as %s", async (path, forwarded) => {
    const { status } = await send(`GET ${path} HTTP/1.1\r\nHost: all.example\r\n\r\n`);
    expect(status).toBe(200);
    expect(first.requests.at(-1)?.url).toBe(forwarded);
  });

  test("what a match takes goes one way, what it leaves the other", async () => {
    const answers = {
      exact: [await chosen("exact", { path: "/anything/it" }), await chosen("exact", { path: "/anything/it/" })],
      "exact with query": [
        await chosen("exact", { path: "/anything/it?q" }),
        await chosen("exact", { path: "/anything/IT" }),
      ],
      prefix: [await chosen("prefix", { path: "/anything/items" }), await chosen("prefix", { path: "/anything/i" })],
      "prefix of the normalised path": [
        await chosen("prefix", { path: "/x/../anything/it" }),
        await chosen("prefix", { path: "/anything/it/../x" }),
      ],
      regex: [
        await chosen("regex", { path: "/anything/abc/12" }),
        await chosen("regex", { path: "/anything/abc/123" }),
      ],
      case: [await chosen("case", { path: "/anything/iT" }), await chosen("case", { path: "/anything/x" })],
      method: [await chosen("method", { method: "PUT" }), await chosen("method", { method: "POST" })],
      header: [
        await chosen("header", { fields: "X-Who: me\r\n" }),
        await chosen("header", { fields: "X-Who: you\r\n" }),
      ],
      "repeated header": [
        await chosen("present", { fields: "X-Who: me\r\n" }),
        await chosen("header", { fields: "X-Who: me\r\nX-Who: you\r\n" }),
      ],
      present: [await chosen("present", { fields: "X-Who: \r\n" }), await chosen("present")],
      without: [await chosen("without"), await chosen("without", { fields: "X-Who: me\r\n" })],
      query: [await chosen("query", { path: "/anything?b&a=1" }), await chosen("query", { path: "/anything?a=11" })],
      authority: [await chosen("authority", { host: "authority.example:80" }), await chosen("authority")],
      port: [await chosen("port", { port: 81 }), await chosen("port")],
      both: [
        await chosen("both", { path: "/anything/it", fields: "X-Who: me\r\n" }),
        await chosen("both", { path: "/anything/it" }),
      ],
      "either of two": [await chosen("both", { method: "PUT" }), await chosen("both", { method: "POST" })],
    };
    for (const [name, answer] of Object.entries(answers)) expect([name, answer]).toEqual([name, ["second", "first"]]);
    expect(await chosen("gateway")).toBe("first");
  });

  test("weights 80 and 20 are what backends get", async () => {
    const requests = 600;
    let seconds = 0;
    using connection = new Conversation(clear(world.port(80)));
    for (let i = 0; i < requests; i++) {
      const { body } = await connection.ask("GET /anything HTTP/1.1\r\nHost: weights.example\r\n\r\n");
      if ((JSON.parse(body) as { name: string }).name === "second") seconds++;
    }
    // Six standard deviations of the binomial distribution: one run in half a billion is beyond them.
    const spread = 6 * Math.sqrt(requests * 0.2 * 0.8);
    expect(Math.abs(seconds - requests * 0.2)).toBeLessThan(spread);
  });

  test("HEAD, 204 and 304 have no body and leave the connection usable", async () => {
    using connection = new Conversation(clear(world.port(80)));
    const isHead = (text: string) => text.endsWith("\r\n\r\n");
    const ask = (line: string) => connection.ask(`${line} HTTP/1.1\r\nHost: all.example\r\n\r\n`, isHead);
    const head = await ask("HEAD /bytes/1000");
    expect([head.status, head.headers["content-length"], head.body]).toEqual([200, "1000", ""]);
    const chunked = await ask("HEAD /bytes/1000?chunked=1");
    expect([chunked.status, chunked.body]).toEqual([200, ""]);
    const noContent = await ask("GET /status/204");
    expect([noContent.status, noContent.headers["content-length"], noContent.headers["transfer-encoding"]]).toEqual([
      204,
      undefined,
      undefined,
    ]);
    expect((await ask("GET /status/304")).status).toBe(304);
    expect((await ask("HEAD /nowhere")).status).toBe(404);
    const last = await connection.ask("GET /bytes/5 HTTP/1.1\r\nHost: all.example\r\n\r\n");
    expect([last.status, last.body.length]).toEqual([200, 5]);
  });

  test.each([
    { kind: "with a length", fields: "Content-Length: 5\r\n", body: "hello", framing: ["content-length: 5"] },
    {
      kind: "in chunks",
      fields: "Transfer-Encoding: chunked\r\n",
      body: "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
      framing: ["transfer-encoding: chunked"],
    },
    {
      kind: "empty, in chunks",
      fields: "Transfer-Encoding: chunked\r\n",
      body: "0\r\n\r\n",
      framing: ["transfer-encoding: chunked"],
    },
    { kind: "of length 0", fields: "Content-Length: 0\r\n", body: "", framing: ["content-length: 0"] },
    { kind: "without a body", fields: "", body: "", framing: [] },
  ])("a POST $kind arrives as it was sent", async ({ kind, fields, body, framing }) => {
    const bodyBytes = body.includes("l") ? 5 : 0;
    const path = `/anything/${lane}/${encodeURIComponent(kind)}`;
    const message = await send(`POST ${path} HTTP/1.1\r\nHost: all.example\r\n${fields}\r\n`, body);
    expect(message.status).toBe(200);
    const request = seen(path);
    expect([request?.bodyBytes, request?.method]).toEqual([bodyBytes, "POST"]);
    const found = ["content-length", "transfer-encoding"].flatMap((field) =>
      values(request, field).map((value) => `${field}: ${value}`),
    );
    expect(found).toEqual(framing);
    expect(JSON.parse(message.body)).toMatchObject({ data: bodyBytes === 0 ? "" : "hello" });
  });

  test("a client that expects 100 gets it, and its body arrives", async () => {
    const path = `/anything/${lane}/expect`;
    using connection = new Conversation(clear(world.port(80)));
    connection.send(`POST ${path} HTTP/1.1\r\nHost: all.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    expect(await connection.receive((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1\.1 100 /);
    const { status } = await connection.ask("hello");
    expect(status).toBe(200);
    expect([seen(path)?.bodyBytes, values(seen(path), "expect")]).toEqual([5, []]);
  });

  test.each(["/fault/early", "/fault/early?close=1"])(
    "an answer before the end of the body (%s) reaches the client",
    async (path) => {
      for (const framing of ["Content-Length: 1000000", "Transfer-Encoding: chunked"]) {
        using connection = new Conversation(clear(world.port(80)));
        const body = framing.startsWith("T") ? `400\r\n${"x".repeat(0x400)}\r\n` : "x".repeat(1000);
        const message = await connection.ask(`POST ${path} HTTP/1.1\r\nHost: all.example\r\n${framing}\r\n\r\n${body}`);
        expect([message.status, message.body]).toEqual([200, "early\n"]);
      }
      // What is left of those bodies is nobody's request.
      for (let i = 0; i < 5; i++) expect(await chosen("all")).toBe("first");
      expect(first.requests.slice(-6).map(({ url }) => url)).toEqual([path, ...Array<string>(5).fill("/anything/x")]);
    },
  );

  test.runIf(offersHttp2({ edge }))(
    "over HTTP/2 the backend sees the same, with the authority as Host and https",
    async () => {
      await using client = await Http2Client.connect(world.port(443), "h2.example", authority.certificatePem);
      const path = "/anything/h2/headers";
      const headers = { ":path": path, ":authority": "h2.example:8443", "x-two": ["1", "2"], cookie: ["a=1", "b=2"] };
      expect((await client.request({ ":method": "POST", ...headers }, Buffer.from("hello"))).status).toBe(200);
      const request = seen(path);
      expect([request?.httpVersion, request?.bodyBytes]).toEqual(["1.1", 5]);
      expect(values(request, "host")).toEqual(["h2.example:8443"]);
      expect(values(request, "x-two")).toEqual(["1", "2"]);
      expect(values(request, "cookie")).toEqual(["a=1; b=2"]);
      expect(values(request, "x-forwarded-proto")).toEqual(["https"]);
      const head = await client.request({ ":method": "HEAD", ":path": "/bytes/1000", ":authority": "h2.example" });
      expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, "1000", 0]);
      const early = await client.request(
        { ":method": "POST", ":path": "/fault/early", ":authority": "h2.example" },
        Buffer.alloc(300_000),
      );
      expect([early.status, early.body.toString()]).toEqual([200, "early\n"]);
    },
  );
});
