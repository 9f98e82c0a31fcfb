// Whatever passes validation compiles into a table that travels unchanged: the codec refuses what the model forbids (fractions of a
// millisecond, percentages beyond 100, redirects without a status), so a hole in the checks shows here.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import { defaultRetryPolicy, type HttpRule, type Route } from "../../src/model/index.ts";
import { decodeTable, encodeTable } from "../../src/wire/index.ts";
import { check } from "../validate/support.ts";

function documents(http: unknown, delegated: unknown): string {
  const metadata = (name: string): object => ({ name, namespace: "istio-system" });
  const apiVersion = "networking.istio.io/v1";
  const servers = [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }];
  return [
    { apiVersion, kind: "Gateway", metadata: metadata("gw"), spec: { selector: { istio: "ingressgateway" }, servers } },
    {
      apiVersion,
      kind: "VirtualService",
      metadata: metadata("vs"),
      spec: { hosts: ["a.com"], gateways: ["gw"], http },
    },
    { apiVersion, kind: "VirtualService", metadata: metadata("inner"), spec: { http: delegated } },
  ]
    .map((document) => JSON.stringify(document))
    .join("\n---\n");
}

/** The routes of these rules, once they have been sent and received; null where they have errors. */
function travel(http: unknown, delegated: unknown = [{ directResponse: { status: 200 } }]): readonly Route[] | null {
  const { resources, diagnostics } = check(documents(http, delegated));
  if (diagnostics.some(({ severity }) => severity === "error")) return null;
  const { table } = compileTable(resources, defaultCompileOptions);
  const encoded = encodeTable(table);
  const decoded = decodeTable(encoded.manifest, (digest) => encoded.resources.get(digest)).table;
  expect(decoded).toStrictEqual(table);
  return decoded.routeConfigs[0]?.virtualHosts[0]?.routes ?? [];
}

/** Mostly right, sometimes wrong: of a rule with ten fields all must be right for anything to be compiled. */
function mostly<Value>(right: readonly Value[], wrong: readonly Value[]): fc.Arbitrary<Value> {
  return fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...right) },
    { weight: 1, arbitrary: fc.constantFrom(...wrong) },
  );
}

const duration = mostly(["1s", "1.5s", "1h", "876000h"], ["0s", "0.5ms", "1ms"]);
const percentage = fc.record({ value: mostly([0, 0.0001, 33.3, 100], [101, -1]) }, { requiredKeys: [] });
const destination = fc.record({ host: mostly(["cart", "b.com"], ["*"]) });
const text = mostly(["/", "/a", "x-a", "%%"], ["", "%PROTOCOL%", "100%", "\\1", "a\nb"]);
const names = fc.dictionary(mostly(["x-a", "X-B", "host"], [":authority", "connection"]), text, { maxKeys: 2 });
const headers = fc.record(
  {
    request: fc.record(
      { set: names, add: names, remove: fc.array(mostly(["x-a", "X-B"], ["host"]), { maxLength: 2 }) },
      { requiredKeys: [] },
    ),
    response: fc.record({ set: names, add: names }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const stringMatch = fc.oneof(
  fc.record({ exact: text }),
  fc.record({ prefix: text }),
  fc.record({ regex: mostly([".*", "/a+"], ["("]) }),
);
const match = fc.record(
  {
    name: fc.constantFrom("", "m"),
    uri: stringMatch,
    headers: fc.dictionary(fc.constantFrom("x-a", "x-b"), stringMatch, { maxKeys: 2 }),
    port: fc.constantFrom(80, 81),
    sourceNamespace: fc.constantFrom("istio-system", "other"),
  },
  { requiredKeys: [] },
);

const policies = {
  name: fc.constantFrom("", "r"),
  match: fc.array(match, { maxLength: 2 }),
  timeout: duration,
  retries: fc.record(
    {
      attempts: mostly([1, 2, 3], [0]),
      perTryTimeout: duration,
      retryOn: mostly(["5xx", "503,reset"], ["x"]),
      backoff: duration,
    },
    { requiredKeys: [] },
  ),
  fault: fc.record(
    {
      delay: fc.record({ fixedDelay: duration, percentage, percent: fc.constantFrom(0, 100) }),
      abort: fc.record({ httpStatus: mostly([503], [99]), percentage }),
    },
    { requiredKeys: ["abort"] },
  ),
  mirror: destination,
  mirrorPercentage: percentage,
  corsPolicy: fc.record(
    { allowOrigins: fc.array(stringMatch, { maxLength: 2 }), maxAge: duration },
    { requiredKeys: [] },
  ),
  headers,
};
const redirect = fc.record(
  {
    uri: text,
    prefixRewrite: text,
    authority: text,
    port: fc.constantFrom(80, 443),
    redirectCode: fc.constantFrom(0, 301, 308),
  },
  { requiredKeys: [] },
);
/** One of the actions and a few of the policies. */
const rule = (actions: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.constantFrom(...Object.keys(actions)), fc.subarray(Object.keys(policies), { maxLength: 3 }))
    .chain(([action, fields]) => {
      const chosen = Object.entries({ ...policies, ...actions }).filter(
        ([key]) => key === action || fields.includes(key),
      );
      return fc.record(Object.fromEntries(chosen));
    });
const routes = fc.array(
  fc.record({ destination, weight: fc.integer({ min: 1, max: 3 }), headers }, { requiredKeys: ["destination"] }),
  {
    minLength: 1,
    maxLength: 3,
  },
);
const directResponse = fc.record({ status: fc.constantFrom(200, 503), body: fc.record({ string: text }) });
const delegate = fc.record({ name: fc.constantFrom("inner", "gone") });

describe("HTTP rules that pass validation", () => {
  it("compile, travel and stay what they are", () => {
    let compiled = 0;
    fc.assert(
      fc.property(
        fc.array(rule({ route: routes, redirect, directResponse, delegate }), { minLength: 1, maxLength: 3 }),
        fc.array(rule({ route: routes, redirect, directResponse }), { minLength: 1, maxLength: 2 }),
        (http, delegated) => {
          if (travel(http, delegated) !== null) compiled++;
        },
      ),
      { numRuns: 1500 },
    );
    // Otherwise nothing was looked at.
    expect(compiled).toBeGreaterThan(50);
  });
});

describe("a route", () => {
  const route = [{ destination: { host: "cart" } }];
  const only = (fields: HttpRule): Route => travel([{ route, ...fields }])?.[0] as Route;

  it("that asks for nothing carries nothing: no policy, and the one default retry policy", () => {
    const { action, policy } = only({});
    expect(policy).toBeNull();
    expect(action.kind === "forward" && action.retry).toBe(defaultRetryPolicy);
    expect(action).toMatchObject({ timeoutMs: 0, rewrite: null, mirrors: [] });
  });

  it("waits no longer than a timer can", () => {
    expect(only({ timeout: "876000h" }).action).toMatchObject({ timeoutMs: 2_147_483_647 });
  });

  it("without a fault that could happen has none", () => {
    expect(only({ fault: { abort: { httpStatus: 500, percentage: { value: 0 } } } }).policy).toBeNull();
  });
});
