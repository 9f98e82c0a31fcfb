import { expect, test } from "vitest";
import { affinityCookie, type CookieKey, cookieValue } from "../../../src/upstream/balancing/affinity-cookie.ts";
import type { BalancedRequest } from "../../../src/upstream/balancing/balanced-request.ts";
import { hashRequest, queryValue } from "../../../src/upstream/balancing/request-hash.ts";
import { Hash64, xxHash64 } from "../../../src/upstream/balancing/xx-hash-64.ts";

const key: CookieKey = {
  kind: "cookie",
  name: "affinity",
  path: "/shop",
  ttlMs: 60_000,
  attributes: ["SameSite=Strict"],
};

function request(headers: Record<string, string> = {}, rest: Partial<BalancedRequest> = {}): BalancedRequest {
  return {
    query: "",
    setCookie: "",
    downstream: { remoteAddress: "10.9.9.9", remotePort: 5000, localAddress: "10.0.0.1", localPort: 80 },
    header: (name) => headers[name] ?? null,
    ...rest,
  };
}

test.each([
  ["a=1; affinity=xyz; b=2", "xyz"],
  ['affinity="xyz"', "xyz"],
  ["a=1,affinity=xyz", "xyz"],
  ["xaffinity=1; affinity2=2;affinity=3", "3"],
  ["affinity=", ""],
  ["affinity", ""],
  ["", ""],
  [";;;", ""],
  ["affinity=a=b", "a=b"],
])("in %j the cookie is %j", (header, value) => {
  expect(cookieValue(header, "affinity")).toBe(value);
});

test("a client without the cookie gets one in Envoy's form, the same for all requests of its connection", () => {
  const first = request();
  const value = affinityCookie(first, key);
  expect(value).toMatch(/^[0-9a-f]{16}$/);
  expect(first.setCookie).toBe(`affinity="${value}"; Max-Age=60; Path=/shop; SameSite=Strict; HttpOnly`);
  expect(affinityCookie(request(), key)).toBe(value);
  expect(affinityCookie(request({}, { downstream: { ...first.downstream, remotePort: 5001 } }), key)).not.toBe(value);
});

test("a session cookie has no Max-Age, and an empty path is not sent", () => {
  const made = request();
  affinityCookie(made, { ...key, ttlMs: 0, path: "", attributes: [] });
  expect(made.setCookie).toMatch(/^affinity="[0-9a-f]{16}"; HttpOnly$/);
});

test("where the client's port is not known the cookie is random, but one for a request and its retries", () => {
  const downstream = { remoteAddress: "10.9.9.9", remotePort: 0, localAddress: "", localPort: 0 };
  const first = request({}, { downstream });
  const value = affinityCookie(first, key);
  expect(affinityCookie(first, key)).toBe(value);
  expect(affinityCookie(request({}, { downstream }), key)).not.toBe(value);
});

test("a cookie that the client has is not made anew, nor one that the configuration does not want made", () => {
  const sent = request({ cookie: "affinity=mine" });
  expect(affinityCookie(sent, key)).toBe("mine");
  const unmade = request();
  expect(affinityCookie(unmade, { ...key, ttlMs: null })).toBeNull();
  expect([sent.setCookie, unmade.setCookie]).toEqual(["", ""]);
});

test.each([
  ["user=1&user=2", "1"],
  ["a=1&user=x%20y&b", "x%20y"],
  ["user", ""],
  ["user=", ""],
  ["users=1&xuser=2", null],
  ["", null],
])("in ?%s the parameter is %j", (query, value) => {
  expect(queryValue(query, "user")).toBe(value);
});

test("every kind of key is hashed by its value", () => {
  const hash = new Hash64();
  const expected = new Hash64();
  const sent = request({ "x-user": "ann", cookie: "affinity=mine" }, { query: "user=bob" });
  const cases = [
    [{ kind: "header", name: "x-user" }, "ann"],
    [key, "mine"],
    [{ kind: "source-ip" }, "10.9.9.9"],
    [{ kind: "query", name: "user" }, "bob"],
  ] as const;
  for (const [hashKey, value] of cases) {
    hashRequest(sent, hashKey, () => 0.5, hash);
    xxHash64(value, expected);
    expect(hash.toHex()).toBe(expected.toHex());
  }
  hashRequest(request(), { kind: "header", name: "x-user" }, () => 0.5, hash);
  expect(hash.toHex()).toBe("8000000080000000");
});
