import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { request as sendRequest, type Server } from "node:http";
import { once } from "node:events";
import { startAdminServer } from "../../src/primary/admin-server.ts";

let server: Server;
let port = 0;
let drains = 0;

beforeAll(async () => {
  const started = await startAdminServer(
    { host: "127.0.0.1", port: 0 },
    {
      notReadyReason: () => "no table yet",
      prometheus: async () => ({ contentType: "text/plain", text: "up 1\n" }),
      endpoints: async () => ({}),
      configDump: () => ({ version: null }),
      requestDrain: () => void drains++,
    },
  );
  server = started.server;
  port = Number(new URL(started.url).port);
});
beforeEach(() => {
  drains = 0;
});
afterAll(() => void server.close());

async function ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const request = sendRequest({ host: "127.0.0.1", port, method, path, headers });
  request.end();
  const [response] = await once(request, "response");
  response.resume();
  return response.statusCode;
}

test("an operator's drain is taken", async () => {
  expect(await ask("POST", "/drain")).toBe(202);
  expect(drains).toBe(1);
});

test.each([
  ["a form of another page", { origin: "http://evil.example" }],
  ["a script without origin", { "sec-fetch-site": "cross-site" }],
  ["a name that was made to resolve here", { host: "evil.example" }],
])("%s cannot drain the gateway", async (_, headers) => {
  expect(await ask("POST", "/drain", headers)).toBe(403);
  expect(drains).toBe(0);
});

test("a name that was made to resolve here reads nothing either", async () => {
  expect(await ask("GET", "/config_dump", { host: "evil.example" })).toBe(403);
  expect(await ask("GET", "/config_dump", { host: `localhost:${port}` })).toBe(200);
});

test("wrong methods and pages are told what there is", async () => {
  expect(await ask("GET", "/drain")).toBe(405);
  expect(await ask("GET", "/nothing")).toBe(404);
  expect(await ask("GET", "/healthz/ready")).toBe(503);
});
