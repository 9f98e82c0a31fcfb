// Virtual hosts and requests from alphabets so small that they keep meeting.
import fc from "fast-check";
import { forwardTo } from "../../src/model/index.ts";
import type { MatchRequest } from "../../src/match/index.ts";
import type {
  FilterChain,
  HeaderMatch,
  PathMatch,
  QueryParamMatch,
  Route,
  ValueMatch,
  VirtualHost,
} from "../../src/model/index.ts";

export const hosts = [
  "foo.com",
  "a.foo.com",
  "b.a.foo.com",
  "xfoo.com",
  "bar.com",
  "a.bar.com",
  "com",
  "localhost",
  "",
];
export const claims = [
  "foo.com",
  "a.foo.com",
  "*.foo.com",
  "*.a.foo.com",
  "*foo.com",
  "*.com",
  "bar.com",
  "*.bar.com",
  "*",
];

const segment = fc.constantFrom("/", "/a", "/b", "/A", "/ab", "/a/", "/abc", "");
const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join("")}`.replace("//", "/"));
const valueRegexes = fc.constantFrom("1|2", "[12]*", "a.*", ".*", "(?i)A", "\\d+", "(", "");
const value = fc.constantFrom("1", "2", "12", "a", "A", "ab", "");

const pathMatch: fc.Arbitrary<PathMatch> = fc.oneof(
  fc.record({ kind: fc.constantFrom("prefix" as const, "exact" as const), value: path, ignoreCase: fc.boolean() }),
  fc.record({
    kind: fc.constant("regex" as const),
    value: fc.constantFrom("/a.*", "/(a|b)", "/[ab]+/?", ".*", "(?i)/A", "/a", "["),
    ignoreCase: fc.boolean(),
  }),
);

const valueMatch: fc.Arbitrary<ValueMatch> = fc.oneof(
  fc.record({ kind: fc.constantFrom("exact" as const, "prefix" as const), value }),
  fc.record({ kind: fc.constant("regex" as const), value: valueRegexes }),
  fc.constant({ kind: "present" as const, value: "" }),
);

const headerMatch: fc.Arbitrary<HeaderMatch> = fc.oneof(
  fc
    .tuple(fc.constantFrom("x-a", "x-b"), fc.boolean(), valueMatch)
    .map(([name, invert, match]) => ({ name, invert, ...match })),
  fc
    .tuple(fc.constantFrom("GET", "P", "POST"), fc.constantFrom("exact" as const, "prefix" as const), fc.boolean())
    .map(([method, kind, invert]) => ({ name: ":method", kind, value: method, invert })),
  fc.constantFrom(
    { name: ":scheme", kind: "exact" as const, value: "https", invert: false },
    { name: ":authority", kind: "prefix" as const, value: "a.", invert: false },
    { name: "host", kind: "exact" as const, value: "foo.com", invert: true },
  ),
);

const queryParamMatch: fc.Arbitrary<QueryParamMatch> = fc
  .tuple(fc.constantFrom("q", "qq", ""), valueMatch)
  .map(([name, match]) => ({ name, ...match }));

/** Mostly without predicates, as routes are. */
const few = <Item>(item: fc.Arbitrary<Item>) =>
  fc.oneof({ arbitrary: fc.constant([]), weight: 3 }, { arbitrary: fc.array(item, { maxLength: 2 }), weight: 1 });

const route: fc.Arbitrary<Route> = fc
  .record({ path: pathMatch, headers: few(headerMatch), queryParams: few(queryParamMatch) })
  .map((match) => ({
    name: "",
    virtualService: { namespace: "default", name: "vs", apiVersion: "v1" },
    rule: { http: 0, match: 0 },
    match,
    action: forwardTo([{ cluster: "c", weight: 1 }]),
    policy: null,
    operation: "",
  }));

/** Below, at and above the size where the matcher switches from walking to its index. */
const routes = fc.oneof(fc.array(route, { maxLength: 9 }), fc.array(route, { minLength: 9, maxLength: 30 }));

export const virtualHosts: fc.Arbitrary<VirtualHost[]> = fc
  .array(fc.record({ domains: fc.uniqueArray(fc.constantFrom(...claims), { minLength: 1, maxLength: 3 }), routes }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((entries) => entries.map((entry, index) => ({ name: `vh-${index}`, requireTls: false, ...entry })));

const query = fc
  .array(
    fc
      .tuple(fc.constantFrom("q", "qq", "Q", "", "q%31"), fc.constantFrom("", "="), value)
      .map(([name, equals, text]) => (equals === "" ? name : `${name}=${text}`)),
    { maxLength: 3 },
  )
  .map((parts) => parts.join("&"));

export const requests: fc.Arbitrary<MatchRequest & { readonly host: string }> = fc
  .record({
    host: fc.constantFrom(...hosts),
    path,
    query,
    method: fc.constantFrom("GET", "POST", "PUT"),
    scheme: fc.constantFrom("http", "https"),
    headers: fc.record({ "x-a": value, "x-b": value }, { requiredKeys: [] }),
  })
  .map(({ headers, ...request }) => {
    const values = new Map(Object.entries(headers));
    return { ...request, authority: request.host, header: (name: string) => values.get(name) ?? null };
  });

export const filterChains: fc.Arbitrary<FilterChain[]> = fc
  .array(fc.uniqueArray(fc.constantFrom(...claims.filter((claim) => claim !== "*")), { maxLength: 3 }), {
    maxLength: 5,
  })
  .map((lists) =>
    lists.map((serverNames, index) => ({
      name: `chain-${index}`,
      serverNames,
      tls: null,
      routeConfig: "",
      forward: null,
      statPrefix: null,
      gateway: { namespace: "default", name: "gw" },
    })),
  );
