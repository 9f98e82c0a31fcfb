import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { patternBytes, startHttpbin } from "../src/index.ts";
import type { Httpbin } from "../src/index.ts";
import { sendRaw } from "./raw-client.ts";

let backend: Httpbin;
beforeAll(async () => {
  backend = await startHttpbin({ name: "routes" });
});
afterAll(() => backend.close());

async function getJson(path: string, init?: RequestInit): Promise<Record<string, unknown>> {
  return (await (await fetch(backend.url + path, init)).json()) as Record<string, unknown>;
}

describe("/status", () => {
  test("418 answers the 135 bytes of the teapot with the headers of its transcript", async () => {
    const answer = await fetch(`${backend.url}/status/418`);
    const body = await answer.text();
    expect(answer.status).toBe(418);
    expect(answer.headers.get("content-length")).toBe("135");
    expect(answer.headers.get("x-more-info")).toBe("http://tools.ietf.org/html/rfc2324");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
    expect(Buffer.byteLength(body)).toBe(135);
    expect(body.split("\n")).toEqual([
      "",
      "    -=[ teapot ]=-",
      "",
      "       _...._",
      "     .'  _ _ `.",
      '    | ."` ^ `". _,',
      '    \\_;`"---"`|//',
      "      |       ;/",
      "      \\_     _/",
      '        `"""`',
      "",
    ]);
  });

  test.each([200, 204, 301, 304, 404, 503, 599])("%i answers that status with an empty body", async (code) => {
    const answer = await fetch(`${backend.url}/status/${code}`, { redirect: "manual" });
    expect(answer.status).toBe(code);
    expect(await answer.text()).toBe("");
  });

  test.each(["", "abc", "99", "101", "600", "2e2", "200/", "-200"])("%j is refused with a message", async (code) => {
    const answer = await fetch(`${backend.url}/status/${code}`);
    expect([400, 404]).toContain(answer.status);
    const { error } = (await answer.json()) as { error: { message: string } };
    expect(error.message).not.toBe("");
  });
});

describe("what was asked is told", () => {
  test("/headers prints canonical names, sorted, and joins repeated ones", async () => {
    const { text } = await sendRaw(
      backend.port,
      "GET /headers HTTP/1.1",
      "host: a.example",
      "x-request-id: 1",
      "X-B3-TRACEID: 2",
      "x-twice: one",
      "X-Twice: two",
      "__proto__: kept",
      "connection: close",
    );
    const body = text.slice(text.indexOf("\r\n\r\n") + 4);
    expect(body.replaceAll(/\s/g, "")).toBe(
      '{"headers":{"Connection":"close","Host":"a.example","X-B3-Traceid":"2","X-Request-Id":"1","X-Twice":"one,two","__proto__":"kept"}}',
    );
  });

  test("/get tells the arguments, the url, the origin and which backend answered", async () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-for": "10.0.0.9" };
    expect(await getJson("/get?a=1&b=2&b=3", { headers })).toMatchObject({
      args: { a: "1", b: ["2", "3"] },
      method: "GET",
      name: "routes",
      origin: "10.0.0.9",
      url: `https://127.0.0.1:${backend.port}/get?a=1&b=2&b=3`,
    });
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])(
    "%s has its route, which tells the body and its JSON",
    async (method) => {
      const path = `/${method.toLowerCase()}`;
      expect(await getJson(path, { method, body: '{"a":[1]}' })).toMatchObject({
        method,
        data: '{"a":[1]}',
        json: { a: [1] },
      });
      expect((await fetch(backend.url + path)).status).toBe(405);
    },
  );

  test("/anything takes any path below it, and bytes that are no text", async () => {
    const described = await getJson("/anything/at/all", { method: "POST", body: new Uint8Array([0xff, 0x00]) });
    expect(described).toMatchObject({ data: "data:application/octet-stream;base64,/wA=", json: null });
  });

  test("a body above 16 MiB is refused with 413 and the connection stays usable", async () => {
    const before = backend.acceptedConnections;
    const answer = await fetch(`${backend.url}/post`, { method: "POST", body: new Uint8Array(17 * 1024 * 1024) });
    expect(answer.status).toBe(413);
    await answer.text();
    expect(backend.requests.at(-1)?.bodyBytes).toBeGreaterThan(16 * 1024 * 1024);
    expect(backend.acceptedConnections).toBeLessThanOrEqual(before + 1);
  });

  test("/delay answers after a fraction of a second and refuses more than ten", async () => {
    expect(await getJson("/delay/0.02")).toMatchObject({ method: "GET" });
    expect((await fetch(`${backend.url}/delay/10.5`)).status).toBe(400);
    expect((await fetch(`${backend.url}/delay/soon`)).status).toBe(400);
  });
});

describe("streams", () => {
  test.each([0, 1, 65_536, 65_537, 3_000_001])("/bytes/%i answers the pattern with its length", async (count) => {
    const answer = await fetch(`${backend.url}/bytes/${count}`);
    expect(answer.headers.get("content-length")).toBe(String(count));
    expect(Buffer.from(await answer.arrayBuffer()).equals(patternBytes(count))).toBe(true);
  });

  test("/bytes?chunked=1 answers the same bytes without a length", async () => {
    const answer = await fetch(`${backend.url}/bytes/200000?chunked=1`);
    expect(answer.headers.get("content-length")).toBeNull();
    expect(answer.headers.get("transfer-encoding")).toBe("chunked");
    expect(Buffer.from(await answer.arrayBuffer()).equals(patternBytes(200_000))).toBe(true);
  });

  test("/bytes/2147483648 announces 2 GiB and one byte more is refused", async () => {
    const head = await fetch(`${backend.url}/bytes/2147483648`, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe("2147483648");
    expect((await fetch(`${backend.url}/bytes/2147483649`)).status).toBe(400);
  });

  test("/stream answers its number of JSON lines", async () => {
    const text = await (await fetch(`${backend.url}/stream/3?a=1`)).text();
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { id: 0, args: { a: "1" } },
      { id: 1 },
      { id: 2 },
    ]);
  });

  test("/sse sends its number of events and ends", async () => {
    const answer = await fetch(`${backend.url}/sse?count=3&intervalMs=1`);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect((await answer.text()).match(/^id: \d\ndata: \{"id":\d\}$/gm)).toHaveLength(3);
    expect((await fetch(`${backend.url}/sse?count=0`)).status).toBe(400);
  });

  test("/upload tells the length and the digest of a chunked body", async () => {
    const body = patternBytes(5_000_000);
    const source = new Blob([body.subarray(0, 1_000_000), body.subarray(1_000_000)]).stream();
    const told = await getJson("/upload", { method: "POST", body: source, duplex: "half" });
    expect(told).toEqual({ bytes: 5_000_000, sha256: createHash("sha256").update(body).digest("hex") });
    expect(backend.requests.at(-1)?.bodyBytes).toBe(5_000_000);
  });
});

describe("/response-headers", () => {
  test("answers the headers asked for, repeated ones as repeated lines", async () => {
    const answer = await fetch(
      `${backend.url}/response-headers?x-one=1&set-cookie=a=1&set-cookie=b=2&content-type=text/x`,
    );
    expect(answer.headers.get("x-one")).toBe("1");
    expect(answer.headers.get("content-type")).toBe("text/x");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  test.each(["content-length=3", "transfer-encoding=x", "a%20b=1", "x=%00", "x=%0d%0ay:1"])(
    "%s is refused",
    async (query) => {
      expect((await fetch(`${backend.url}/response-headers?${query}`)).status).toBe(400);
    },
  );
});

describe("/fault", () => {
  test("reset answers nothing but a TCP reset", async () => {
    expect(await sendRaw(backend.port, "GET /fault/reset HTTP/1.1", "host: a")).toEqual({
      text: "",
      ending: "ECONNRESET",
    });
  });

  test("close answers nothing and ends in order", async () => {
    expect(await sendRaw(backend.port, "GET /fault/close HTTP/1.1", "host: a")).toEqual({ text: "", ending: "end" });
  });

  test("truncate promises 1000 bytes and ends after 10", async () => {
    const { text, ending } = await sendRaw(backend.port, "GET /fault/truncate HTTP/1.1", "host: a");
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*content-length: 1000\r\n[^]*\r\n\r\n0123456789$/);
    expect(ending).toBe("end");
  });

  test("early answers before the body came", async () => {
    const head = ["POST /fault/early?close=1 HTTP/1.1", "host: a", "content-length: 100"];
    const { text } = await sendRaw(backend.port, ...head);
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nearly\n$/);
    expect(backend.requests.at(-1)?.bodyBytes).toBe(0);
  });
});

test.each(["/", "/nothing", "/headers/", "/fault/unknown", "/status/1/2"])(
  "%s is unknown: 404 as JSON",
  async (path) => {
    const answer = await fetch(backend.url + path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { status: 404 } });
  },
);
