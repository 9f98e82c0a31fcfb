import { describe, expect, it } from "vitest";
import { codes, findings, istio } from "./support.ts";

const service =
  "---\napiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: {ports: [{port: 80}]}\n";

/** The policy stands on line 6. */
function policy(text: string): string {
  return `${istio("DestinationRule", `  host: a\n  trafficPolicy: {${text}}\n`)}${service}`;
}

/** Code and path below `spec.trafficPolicy`, of errors in front of the warnings' "warning". */
function judged(text: string): string[] {
  return codes(policy(text)).map((line) => line.replace(/^\S+ (error )?/, "").replace("spec.trafficPolicy.", ""));
}

describe("a load balancer", () => {
  it.each(["UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM"])("may be %s", (simple) => {
    expect(judged(`loadBalancer: {simple: ${simple}}`)).toEqual([]);
  });

  it("may pass through only as one that takes turns", () => {
    expect(findings(policy("loadBalancer: {simple: PASSTHROUGH}"))).toEqual([
      "c.yaml:6:34 warning ineffective-field spec.trafficPolicy.loadBalancer.simple: the client's connection ends at the gateway, so PASSTHROUGH has no address to go on to (Endpoints are used in turn, as with ROUND_ROBIN.)",
    ]);
  });

  const source = "useSourceIp: true";
  it.each([
    ["simple: RANDOM, consistentHash: {useSourceIp: true}", ["conflicting-fields loadBalancer.simple"]],
    ["consistentHash: {httpHeaderName: ''}", ["empty-value loadBalancer.consistentHash.httpHeaderName"]],
    ["consistentHash: {}", ["warning missing-hash-key loadBalancer.consistentHash"]],
    ["consistentHash: {useSourceIp: false}", ["warning missing-hash-key loadBalancer.consistentHash"]],
    [
      "consistentHash: {httpHeaderName: a, useSourceIp: true, httpQueryParameterName: b}",
      [
        "conflicting-fields loadBalancer.consistentHash.useSourceIp",
        "conflicting-fields loadBalancer.consistentHash.httpQueryParameterName",
      ],
    ],
    [
      `consistentHash: {${source}, ringHash: {}, maglev: {tableSize: 65537}}`,
      ["conflicting-fields loadBalancer.consistentHash.maglev"],
    ],
    [
      `consistentHash: {${source}, minimumRingSize: 5}`,
      ["warning deprecated-field loadBalancer.consistentHash.minimumRingSize"],
    ],
    [
      `consistentHash: {${source}, minimumRingSize: 5, ringHash: {}}`,
      ["conflicting-fields loadBalancer.consistentHash.minimumRingSize"],
    ],
    [
      `consistentHash: {${source}, ringHash: {minimumRingSize: 8388609}}`,
      ["out-of-range loadBalancer.consistentHash.ringHash.minimumRingSize"],
    ],
    [`consistentHash: {${source}, maglev: {}}`, ["missing-field loadBalancer.consistentHash.maglev.tableSize"]],
    [
      `consistentHash: {${source}, maglev: {tableSize: 65536}}`,
      ["out-of-range loadBalancer.consistentHash.maglev.tableSize"],
    ],
    [
      `consistentHash: {${source}, maglev: {tableSize: 1}}`,
      ["out-of-range loadBalancer.consistentHash.maglev.tableSize"],
    ],
    [
      `consistentHash: {${source}, maglev: {tableSize: 5000011}}`,
      ["out-of-range loadBalancer.consistentHash.maglev.tableSize"],
    ],
    [`consistentHash: {${source}, maglev: {tableSize: 4999999}}`, []],
  ])("with %s gives %j", (text, expected) => {
    expect(judged(`loadBalancer: {${text}}`)).toEqual(expected);
  });

  it.each([
    ["{ttl: 1s}", "missing-field name"],
    ["{name: ''}", "empty-value name"],
    ["{name: 'a b'}", "invalid-cookie name"],
    ["{name: 'a=b'}", "invalid-cookie name"],
    ["{name: a, path: '/; Domain=evil'}", "invalid-cookie path"],
    ["{name: a, ttl: 1}", "wrong-type ttl"],
    ["{name: a, ttl: -1s}", "invalid-duration ttl"],
    ["{name: a, attributes: [{name: 'Same Site'}]}", "invalid-cookie attributes[0].name"],
    ['{name: a, attributes: [{name: SameSite, value: "Lax\\r\\nX: y"}]}', "invalid-cookie attributes[0].value"],
    ["{name: a, attributes: [{value: a}]}", "missing-field attributes[0].name"],
  ])("with the cookie %s is refused: it could write more than a cookie into answers", (cookie, expected) => {
    const [code, field] = expected.split(" ");
    expect(judged(`loadBalancer: {consistentHash: {httpCookie: ${cookie}}}`)).toEqual([
      `${code} loadBalancer.consistentHash.httpCookie.${field}`,
    ]);
  });

  it.each([
    ["warmup: {}", ["missing-field loadBalancer.warmup.duration"]],
    ["warmup: {duration: 0s}", ["invalid-duration loadBalancer.warmup.duration"]],
    ["warmup: {duration: 1s, minimumPercent: 101}", ["out-of-range loadBalancer.warmup.minimumPercent"]],
    ["warmup: {duration: 1s, aggression: 0.5}", ["out-of-range loadBalancer.warmup.aggression"]],
    [
      "warmupDurationSecs: x",
      ["invalid-duration loadBalancer.warmupDurationSecs", "warning deprecated-field loadBalancer.warmupDurationSecs"],
    ],
    ["warmupDurationSecs: 1s, warmup: {duration: 1s}", ["warning ineffective-field loadBalancer.warmupDurationSecs"]],
    ["simple: RANDOM, warmup: {duration: 1s}", ["warning ineffective-field loadBalancer.warmup"]],
    ["simple: ROUND_ROBIN, warmup: {duration: 1s, minimumPercent: 0, aggression: 1}", []],
  ])("with %s gives %j", (text, expected) => {
    expect(judged(`loadBalancer: {${text}}`)).toEqual(expected);
  });
});

describe("locality settings", () => {
  const at = "loadBalancer.localityLbSetting";

  it.each([
    ["{distribute: [{from: us/*, to: {us/a: 80, 'eu/*': 20}}]}", []],
    ["{distribute: [{from: us, to: {us: 80, eu: 21}}]}", [`invalid-weights ${at}.distribute[0].to`]],
    ["{distribute: [{from: us}]}", [`invalid-weights ${at}.distribute[0].to`]],
    ["{distribute: [{from: us, to: {us: 100, eu: 0}}]}", [`out-of-range ${at}.distribute[0].to.eu`]],
    ["{distribute: [{from: us, to: {us: 101}}]}", [`out-of-range ${at}.distribute[0].to.us`]],
    ["{distribute: [{to: {us: 100}}]}", [`invalid-locality ${at}.distribute[0].from`]],
    ["{distribute: [{from: '*/a', to: {us: 100}}]}", [`invalid-locality ${at}.distribute[0].from`]],
    ["{distribute: [{from: 'us*', to: {us: 100}}]}", [`invalid-locality ${at}.distribute[0].from`]],
    ["{distribute: [{from: us//a, to: {us: 100}}]}", [`invalid-locality ${at}.distribute[0].from`]],
    ["{distribute: [{from: a/b/c/d, to: {us: 100}}]}", [`invalid-locality ${at}.distribute[0].from`]],
    ["{distribute: [{from: us, to: {eu: 50, eu/a: 50}}]}", [`invalid-locality ${at}.distribute[0].to["eu/a"]`]],
    ["{distribute: [{from: us, to: {us/a: 50, '*': 50}}]}", [`invalid-locality ${at}.distribute[0].to["*"]`]],
    [
      "{distribute: [{from: us/*, to: {us: 100}}, {from: us/a, to: {us: 100}}]}",
      [`invalid-locality ${at}.distribute[1].from`],
    ],
    ["{distribute: [{from: us, to: {us-east: 50, us: 50}}]}", []],
    [
      "{distribute: [{from: us, to: {us: 100}}], failover: [{from: us, to: eu}]}",
      [`conflicting-fields ${at}.failover`],
    ],
    ["{failover: [{from: us, to: eu}]}", []],
    ["{failover: [{from: us, to: us}]}", [`invalid-locality ${at}.failover[0].to`]],
    ["{failover: [{from: us}]}", [`invalid-locality ${at}.failover[0].to`]],
    [
      "{failover: [{from: us/a, to: '*'}]}",
      [`invalid-locality ${at}.failover[0].from`, `invalid-locality ${at}.failover[0].to`],
    ],
    [
      "{failover: [{from: us, to: eu}], failoverPriority: [topology.kubernetes.io/zone, a=b]}",
      [`conflicting-fields ${at}.failoverPriority[0]`],
    ],
    ["{failoverPriority: [topology.kubernetes.io/zone]}", []],
  ])("with %s give %j", (text, expected) => {
    expect(judged(`outlierDetection: {}, loadBalancer: {localityLbSetting: ${text}}`)).toEqual(expected);
  });

  it.each(["failover: [{from: us, to: eu}]", "failoverPriority: [a]"])(
    "warn that %s needs outlier detection",
    (text) => {
      expect(judged(`loadBalancer: {localityLbSetting: {${text}}}`)).toEqual([
        `warning ineffective-field ${at}.${text.split(":", 1)[0]}`,
      ]);
    },
  );
});

describe("outlier detection", () => {
  it.each([
    ["{}", []],
    ["{interval: 0s, baseEjectionTime: x}", ["invalid-duration interval", "invalid-duration baseEjectionTime"]],
    ["{maxEjectionPercent: 101}", ["out-of-range maxEjectionPercent"]],
    ["{minHealthPercent: -1}", ["out-of-range minHealthPercent"]],
    ["{consecutive5xxErrors: 1.5}", ["wrong-type consecutive5xxErrors"]],
    [
      "{outlierDetectionHttpErrorCodes: [99, 600]}",
      ["out-of-range outlierDetectionHttpErrorCodes[0]", "out-of-range outlierDetectionHttpErrorCodes[1]"],
    ],
    ["{consecutiveLocalOriginFailures: 3}", ["conflicting-fields consecutiveLocalOriginFailures"]],
    ["{consecutiveLocalOriginFailures: 3, splitExternalLocalOriginErrors: true}", []],
    ["{consecutiveErrors: 3}", ["warning ignored-field consecutiveErrors"]],
  ])("%s gives %j", (text, expected) => {
    const paths = judged(`outlierDetection: ${text}`).map((line) => line.replace("outlierDetection.", ""));
    expect(paths).toEqual(expected);
  });
});

describe("limits", () => {
  it.each([
    ["connectionPool: {}", ["missing-field spec.trafficPolicy.connectionPool"]],
    [
      "connectionPool: {http: {http2KeepAlive: {interval: 1s}}}",
      ["missing-field connectionPool.http.http2KeepAlive.timeout"],
    ],
    [
      "connectionPool: {http: {http2KeepAlive: {interval: 0s, timeout: 1s}}}",
      ["invalid-duration connectionPool.http.http2KeepAlive.interval"],
    ],
    ["connectionPool: {http: {maxRetries: -1}}", ["out-of-range connectionPool.http.maxRetries"]],
    ["retryBudget: {percent: 100.5}", ["out-of-range retryBudget.percent"]],
    ["retryBudget: {budgetInterval: 1.5ms}", ["invalid-duration retryBudget.budgetInterval"]],
    ["retryBudget: {percent: 0, minRetryConcurrency: 0, budgetInterval: 0s}", []],
    [
      "retryBudget: {}, connectionPool: {http: {maxRetries: 1}}",
      ["warning ineffective-field connectionPool.http.maxRetries"],
    ],
  ])("with %s give %j", (text, expected) => {
    const found = judged(text).map((line) =>
      line.replace(/^(\S+) connectionPool$/, "$1 spec.trafficPolicy.connectionPool"),
    );
    expect(found).toEqual(expected);
  });
});

describe("a policy that says nothing", () => {
  it("is refused, as Istio's webhook does", () => {
    expect(codes(policy(""))).toEqual(["6:3 error missing-field spec.trafficPolicy"]);
    expect(judged("portLevelSettings: [{port: {number: 80}}]")).toEqual(["missing-field portLevelSettings[0]"]);
  });
});

describe("subsets", () => {
  function subsets(text: string): string[] {
    return codes(`${istio("DestinationRule", `  host: a\n  subsets: [${text}]\n`)}${service}`);
  }

  it.each([
    ["{name: v1}, {name: v2, labels: {version: v2, 'app.kubernetes.io/name': Cart_1}}", []],
    ["{name: ''}", ["6:14 error empty-value spec.subsets[0].name"]],
    ["{labels: {a: b}}", ["6:13 error missing-field spec.subsets[0].name"]],
    ["{name: V1}", ["6:14 error invalid-name spec.subsets[0].name"]],
    ["{name: v1}, {name: v1}", ["6:26 error duplicate-name spec.subsets[1].name"]],
    ["{name: v1, labels: {a: b c}}", ["6:33 error invalid-label spec.subsets[0].labels.a"]],
    ["{name: v1, labels: {-a: b}}", ["6:33 error invalid-label spec.subsets[0].labels.-a"]],
    ["{name: v1, labels: {a: 1}}", ["6:33 error wrong-type spec.subsets[0].labels.a"]],
    [
      "{name: v1, trafficPolicy: {tls: {mode: MUTUAL, credentialName: a/b}}}",
      ["6:60 error invalid-credential-name spec.subsets[0].trafficPolicy.tls.credentialName"],
    ],
    ["{name: v1, trafficPolicy: {}}", ["6:24 error missing-field spec.subsets[0].trafficPolicy"]],
    [
      "{name: v1, trafficPolicy: {outlierDetection: {consecutiveErrors: 1}}}",
      ["6:59 warning ignored-field spec.subsets[0].trafficPolicy.outlierDetection.consecutiveErrors"],
    ],
  ])("%s give %j", (text, expected) => {
    expect(subsets(text)).toEqual(expected);
  });
});

describe("a workloadSelector of a rule", () => {
  it("is checked for labels that nothing could have", () => {
    const text = istio("DestinationRule", "  host: a\n  workloadSelector: {matchLabels: {'a/b/c': d}}\n");
    expect(codes(text + service)).toEqual(['6:36 error invalid-label spec.workloadSelector.matchLabels["a/b/c"]']);
  });
});
