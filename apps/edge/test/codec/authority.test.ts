// What may stand in Host and `:authority`: nothing that two readers could take for two hosts.
import { expect, test } from "vitest";
import { isAuthority } from "../../src/codec/authority.ts";

test.each([
  "a.example",
  "A-1_b.example:8443",
  "192.0.2.1:1",
  "a.example:65535",
  "[::1]",
  "[2001:db8::1]:443",
  "[::ffff:192.0.2.1]:0",
])("%j is one", (authority) => {
  expect(isAuthority(authority)).toBe(true);
});

test.each([
  "",
  ":80",
  "a.example:",
  "a.example:65536",
  "a.example:000080",
  "a.example:+1",
  "a.example:80:80",
  "a.example,b.example",
  "a b",
  "user@a.example",
  "a.example/b",
  "a.example?b",
  "a.example#b",
  "a.example\\b",
  "a.exampl\xe9",
  "[]",
  "[::1",
  "::1",
  "[::1]b",
  "[::1]:",
  "[::1]:65536",
  "[192.0.2.1]",
  "[fe80::1%eth0]",
  "[[::1]]",
])("%j is none", (authority) => {
  expect(isAuthority(authority)).toBe(false);
});
