// What Istio's webhook says of HTTP rules, and what only Sluice says.
import { describe, expect, it } from "vitest";
import { check, codes, findings, istio } from "./support.ts";

const to = "route: [{destination: {host: cart}}]";

/** One rule, its fields in braces on line 8. */
function rule(fields: string): string {
  return istio("VirtualService", `  hosts: [a.com]\n  gateways: [gw]\n  http:\n  - {${fields}}\n`);
}

/** Severity, code and path below `spec.http[0].` of what is found. */
function found(fields: string): string[] {
  return codes(rule(fields)).map((line) => line.replace(/^8:\d+ /, "").replace(/spec\.http\[0\]\.?/, ""));
}

function expectFinding(fields: string, expected: string): void {
  expect(found(fields)).toEqual(expected === "" ? [] : [expected]);
  const isError = expected.startsWith("error");
  expect(check(rule(fields)).resources.virtualServices).toHaveLength(isError ? 0 : 1);
}

describe("a rule's action", () => {
  it.each([
    [to, ""],
    ["redirect: {uri: /}", ""],
    ["directResponse: {status: 200}", ""],
    ["name: a", "error missing-action "],
    [`redirect: {uri: /}, ${to}`, "error conflicting-fields route"],
    [`directResponse: {status: 200}, ${to}`, "error conflicting-fields route"],
    ["redirect: {uri: /}, directResponse: {status: 200}", "error conflicting-fields directResponse"],
    ["redirect: {uri: /}, fault: {abort: {httpStatus: 500, percentage: {value: 1}}}", "error conflicting-fields fault"],
    ["redirect: {uri: /}, rewrite: {uri: /}", "error conflicting-fields rewrite"],
    ["directResponse: {status: 200}, rewrite: {uri: /}", "error conflicting-fields rewrite"],
    [`delegate: {name: a}, ${to}`, "error conflicting-fields route"],
    ["delegate: {name: a}, redirect: {uri: /}", "error conflicting-fields redirect"],
    ["redirect: {uri: /}, timeout: 1s", "warning ineffective-field timeout"],
    ["directResponse: {status: 200}, retries: {attempts: 1}", "warning ineffective-field retries"],
    ["directResponse: {status: 200}, mirrors: []", ""],
  ])("{%s} gives %j", expectFinding);
});

describe("a redirect", () => {
  it.each([
    ["{}", "error missing-field redirect"],
    ["{port: 8443}", ""],
    ["{derivePort: FROM_REQUEST_PORT}", ""],
    ["{scheme: https}", ""],
    ["{scheme: ftp}", "error invalid-value redirect.scheme"],
    ["{uri: /, prefixRewrite: /a}", "error conflicting-fields redirect.prefixRewrite"],
    ["{port: 1, derivePort: FROM_REQUEST_PORT}", "error conflicting-fields redirect.derivePort"],
    ["{port: 65536}", "error out-of-range redirect.port"],
    ["{uri: /, redirectCode: 308}", ""],
    ["{uri: /, redirectCode: 304}", "error invalid-value redirect.redirectCode"],
    ["{uri: /, redirectCode: 200}", "error invalid-value redirect.redirectCode"],
    ['{uri: "/a\\r\\nset-cookie: x"}', "error invalid-uri redirect.uri"],
    ['{authority: "a\\nb"}', "error invalid-host redirect.authority"],
  ])("%s gives %j", (redirect, expected) => expectFinding(`redirect: ${redirect}`, expected));

  it("replaces the prefix only of prefixes", () => {
    const moved = "redirect: {prefixRewrite: /b}";
    expectFinding(`match: [{uri: {prefix: /a}}, {uri: {prefix: /c}}], ${moved}`, "");
    expectFinding(
      `match: [{uri: {prefix: /a}}, {uri: {exact: /c}}], ${moved}`,
      "error conflicting-fields redirect.prefixRewrite",
    );
  });
});

describe("a direct response", () => {
  const ofSize = (size: number, field = "string"): string =>
    `directResponse: {status: 200, body: {${field}: "${"A".repeat(size)}"}}`;

  it.each([
    ["directResponse: {}", "error missing-field directResponse.status"],
    ["directResponse: {status: 199}", "error out-of-range directResponse.status"],
    ["directResponse: {status: 600}", "error out-of-range directResponse.status"],
    ["directResponse: {status: 599, body: {string: no}}", ""],
    ["directResponse: {status: 200, body: {bytes: aGVsbG8=}}", ""],
    ["directResponse: {status: 200, body: {bytes: hello}}", "error invalid-base64 directResponse.body.bytes"],
    [
      "directResponse: {status: 200, body: {bytes: aGk=, string: hi}}",
      "error conflicting-fields directResponse.body.bytes",
    ],
  ])("{%s} gives %j", expectFinding);

  it("warns of bodies beyond 100 KiB and refuses them beyond 1 MiB", () => {
    expectFinding(ofSize(102_400), "");
    expectFinding(ofSize(102_401), "warning large-body directResponse.body");
    expectFinding(ofSize(1_048_577), "error out-of-range directResponse.body");
    // Four characters of base64 are three bytes.
    expectFinding(ofSize(136_532, "bytes"), "");
    expectFinding(ofSize(136_540, "bytes"), "warning large-body directResponse.body");
  });
});

describe("a rewrite", () => {
  it.each([
    ["{uri: /}", ""],
    ["{authority: a.com}", ""],
    ["{uri: /a?b=c}", ""],
    ["{uri: '/a b'}", "error invalid-uri rewrite.uri"],
    ["{uri: /ä}", "error invalid-uri rewrite.uri"],
    ["{uri: /a#b}", "error invalid-uri rewrite.uri"],
    ["{uri: /a/../b}", "error invalid-uri rewrite.uri"],
    ["{uri: /a/%2e%2e/b}", "error invalid-uri rewrite.uri"],
    ["{authority: 'a b'}", "error invalid-host rewrite.authority"],
    ["{uriRegexRewrite: {match: a, rewrite: 'b c'}}", "error invalid-uri rewrite.uriRegexRewrite.rewrite"],
    ["{}", "error missing-field rewrite"],
    ['{uri: "", authority: ""}', "error missing-field rewrite"],
    ["{uri: /, uriRegexRewrite: {match: a, rewrite: b}}", "error conflicting-fields rewrite.uriRegexRewrite"],
    ["{uriRegexRewrite: {match: a}}", "error missing-field rewrite.uriRegexRewrite.rewrite"],
    ['{uriRegexRewrite: {match: a, rewrite: ""}}', "error empty-value rewrite.uriRegexRewrite.rewrite"],
    ['{uriRegexRewrite: {match: "(", rewrite: b}}', "error invalid-regex rewrite.uriRegexRewrite.match"],
    ["{uriRegexRewrite: {match: '/a/(.*)', rewrite: '/\\1\\\\'}}", ""],
    ["{uriRegexRewrite: {match: '/a/(.*)', rewrite: '/\\2'}}", "error invalid-rewrite rewrite.uriRegexRewrite.rewrite"],
    ["{uriRegexRewrite: {match: '/a/(.*)', rewrite: '/\\n'}}", "error invalid-rewrite rewrite.uriRegexRewrite.rewrite"],
    ["{uriRegexRewrite: {match: '/a/(.*)', rewrite: 'a\\'}}", "error invalid-rewrite rewrite.uriRegexRewrite.rewrite"],
  ])("%s gives %j", (rewrite, expected) => expectFinding(`rewrite: ${rewrite}, ${to}`, expected));
});

describe("a timeout", () => {
  it.each([
    ["1.5s", ""],
    ["0s", "error invalid-duration timeout"],
    ["5", "error invalid-duration timeout"],
    ["1us", "error invalid-duration timeout"],
    ["1.0005s", "error invalid-duration timeout"],
  ])("of %s gives %j", (timeout, expected) => expectFinding(`timeout: "${timeout}", ${to}`, expected));
});

describe("retries", () => {
  it.each([
    ["{attempts: 3, perTryTimeout: 2s, retryOn: '5xx,503,connect-failure', backoff: 10ms}", ""],
    ["{attempts: 0}", ""],
    ["{}", ""],
    ["{attempts: -1}", "error out-of-range retries.attempts"],
    ["{attempts: 0, perTryTimeout: 1s}", "error conflicting-fields retries"],
    ["{retryOn: 5xx}", "error conflicting-fields retries"],
    ["{attempts: 1, perTryTimeout: 0s}", "error invalid-duration retries.perTryTimeout"],
    ["{attempts: 1, backoff: x}", "error invalid-duration retries.backoff"],
    ["{attempts: 1, retryOn: conect-failure}", "error unknown-retry-condition retries.retryOn"],
    ["{attempts: 1, retryOn: '503,999'}", "error unknown-retry-condition retries.retryOn"],
    ["{attempts: 1, retryOn: '5xx, reset'}", "error unknown-retry-condition retries.retryOn"],
    ["{attempts: 1, retryOn: '5xx,'}", "error unknown-retry-condition retries.retryOn"],
    ["{attempts: 1, retryOn: retriable-headers}", "warning ineffective-field retries.retryOn"],
  ])("%s give %j", (retries, expected) => expectFinding(`retries: ${retries}, ${to}`, expected));

  it("name the condition that was meant", () => {
    expect(findings(rule(`retries: {attempts: 1, retryOn: conect-failure}, ${to}`))[0]).toContain(
      'Did you mean "connect-failure"?',
    );
    expect(findings(rule(`retries: {attempts: 1, retryOn: "5xx, reset"}, ${to}`))[0]).toContain("Remove the spaces");
  });

  it("that do not fit into the timeout are warned of", () => {
    const retries = "retries: {attempts: 2, perTryTimeout: 2s}";
    expectFinding(`timeout: 6s, ${retries}, ${to}`, "");
    expectFinding(`timeout: 5999ms, ${retries}, ${to}`, "warning ineffective-field retries.perTryTimeout");
  });
});

describe("a fault", () => {
  it.each([
    ["{}", "error missing-field fault"],
    ["{abort: {httpStatus: 503, percentage: {value: 0.0001}}}", ""],
    ["{abort: {httpStatus: 503}}", "warning ineffective-field fault.abort"],
    ["{abort: {percentage: {value: 1}}}", "warning ineffective-field fault.abort"],
    ["{abort: {httpStatus: 199, percentage: {value: 1}}}", "error out-of-range fault.abort.httpStatus"],
    ["{abort: {httpStatus: 503, percentage: {value: 100.1}}}", "error out-of-range fault.abort.percentage.value"],
    ["{abort: {httpStatus: 503, percentage: {value: 0.00001}}}", "error out-of-range fault.abort.percentage.value"],
    ["{abort: {httpStatus: 503, percentage: {value: -1}}}", "error out-of-range fault.abort.percentage.value"],
    ["{abort: {grpcStatus: UNAVAILABLE, percentage: {value: 1}}}", ""],
    ['{abort: {grpcStatus: "14", percentage: {value: 1}}}', ""],
    ["{abort: {grpcStatus: UNAVAILABEL, percentage: {value: 1}}}", "error invalid-value fault.abort.grpcStatus"],
    ['{abort: {grpcStatus: "17", percentage: {value: 1}}}', "error invalid-value fault.abort.grpcStatus"],
    [
      "{abort: {grpcStatus: OK, httpStatus: 500, percentage: {value: 1}}}",
      "error conflicting-fields fault.abort.grpcStatus",
    ],
    ["{delay: {fixedDelay: 1s, percentage: {value: 1}}}", ""],
    ["{delay: {fixedDelay: 1s, percent: 5}}", "warning deprecated-field fault.delay.percent"],
    ["{delay: {percentage: {value: 1}}}", "error missing-field fault.delay"],
    ["{delay: {fixedDelay: 0s, percentage: {value: 1}}}", "error invalid-duration fault.delay.fixedDelay"],
  ])("%s gives %j", (fault, expected) => expectFinding(`fault: ${fault}, ${to}`, expected));
});

describe("mirrors", () => {
  it.each([
    ["mirror: {host: copy}", ""],
    ["mirror: {host: copy}, mirrorPercentage: {value: 50}", ""],
    ["mirror: {host: copy}, mirror_percent: 50", "warning deprecated-field mirrorPercent"],
    ["mirror: {host: copy}, mirrorPercentage: {value: 101}", "error out-of-range mirrorPercentage.value"],
    ["mirrorPercentage: {value: 1}", "warning ineffective-field mirrorPercentage"],
    ["mirror: {host: '*.a'}", "error invalid-host mirror.host"],
    ["mirror: {host: copy, subset: V1}", "error invalid-value mirror.subset"],
    ["mirrors: [{destination: {host: copy}, percentage: {value: 5}}]", ""],
    ["mirrors: [{destination: {host: ''}}]", "error invalid-host mirrors[0].destination.host"],
    [
      "mirrors: [{destination: {host: copy}, percentage: {value: 200}}]",
      "error out-of-range mirrors[0].percentage.value",
    ],
    ["mirror: {host: copy}, mirrors: [{destination: {host: copy}}]", "error conflicting-fields mirrors"],
  ])("{%s} give %j", (mirrors, expected) => {
    const lines = found(`${mirrors}, ${to}`).filter((line) => !line.includes("unknown-subset"));
    expect(lines).toEqual(expected === "" ? [] : [expected]);
  });

  it("are checked for the service they lead to", () => {
    const diagnostics = check(rule(`mirror: {host: copy}, ${to}`)).diagnostics.map(
      ({ code, path }) => `${code} ${path}`,
    );
    expect(diagnostics).toContain("unknown-host spec.http[0].mirror.host");
  });
});

describe("a CORS policy", () => {
  it.each([
    ["{}", ""],
    [
      "{allowOrigins: [{exact: https://a.com}, {prefix: http}, {regex: '.*'}], allowMethods: [GET, '*'], allowHeaders: [x-a, '*'], exposeHeaders: [x-b], maxAge: 24h, allowCredentials: true, unmatchedPreflights: IGNORE}",
      "",
    ],
    ["{allowOrigin: ['*']}", "warning deprecated-field corsPolicy.allowOrigin"],
    ["{allowOrigins: [{}]}", "error invalid-match corsPolicy.allowOrigins[0]"],
    ["{allowOrigins: [{regex: '('}]}", "error invalid-regex corsPolicy.allowOrigins[0].regex"],
    ["{allowMethods: [GTE]}", "error invalid-value corsPolicy.allowMethods[0]"],
    ["{allowHeaders: ['a b']}", "error invalid-header-name corsPolicy.allowHeaders[0]"],
    ["{exposeHeaders: ['']}", "error invalid-header-name corsPolicy.exposeHeaders[0]"],
    ["{maxAge: 1.5s}", "error invalid-duration corsPolicy.maxAge"],
    ["{maxAge: 1ms}", "error invalid-duration corsPolicy.maxAge"],
    ["{unmatchedPreflights: DROP}", "error invalid-value corsPolicy.unmatchedPreflights"],
  ])("%s gives %j", (policy, expected) => expectFinding(`corsPolicy: ${policy}, ${to}`, expected));
});

describe("header operations", () => {
  it.each([
    ["request: {set: {x-a: '%REQ(x-b?x-c):5%', x-d: '100%%'}, add: {x-e: ''}, remove: [x-f]}", ""],
    ["response: {set: {set-cookie: a=b}, remove: [server]}", ""],
    ["request: {set: {host: b.com}}", ""],
    ["request: {add: {':authority': b.com}}", ""],
    ["request: {set: {':path': /}}", 'error invalid-header-name headers.request.set[":path"]'],
    ["request: {remove: [host]}", "error invalid-header-name headers.request.remove[0]"],
    ["response: {set: {host: b.com}}", "error invalid-header-name headers.response.set.host"],
    ["response: {remove: [':status']}", "error invalid-header-name headers.response.remove[0]"],
    ["request: {set: {'': a}}", 'error invalid-header-name headers.request.set[""]'],
    ["request: {set: {'a b': a}}", 'error invalid-header-name headers.request.set["a b"]'],
    ["request: {set: {Transfer-Encoding: chunked}}", "error invalid-header-name headers.request.set.Transfer-Encoding"],
    ["response: {remove: [content-length]}", "error invalid-header-name headers.response.remove[0]"],
    ["request: {set: {x-a: b, X-A: c}}", "error invalid-header-name headers.request.set.X-A"],
    ['request: {set: {x-a: "b\\r\\nx-c: d"}}', "error invalid-header-value headers.request.set.x-a"],
    ['request: {set: {host: "b\\r\\nx-c: d"}}', "error invalid-host headers.request.set.host"],
    ["request: {set: {x-a: 50%}}", "error invalid-header-value headers.request.set.x-a"],
    ["request: {set: {x-a: '%REQ%'}}", "error invalid-header-value headers.request.set.x-a"],
    ["request: {set: {x-a: '%DOWNSTREAM_REMOTE_ADRESS%'}}", "error unknown-operator headers.request.set.x-a"],
    ["request: {set: {x-a: '%VIRTUAL_CLUSTER_NAME%'}}", "error unknown-operator headers.request.set.x-a"],
    ["request: {set: {x-a: 1}}", "error wrong-type headers.request.set.x-a"],
    ["request: {set: {host: b.com}, add: {host: c.com}}", "error conflicting-fields headers.request.add.host"],
  ])("{%s} give %j", (headers, expected) => expectFinding(`headers: {${headers}}, ${to}`, expected));

  it("of destinations are held to the same rules", () => {
    expectFinding(
      "route: [{destination: {host: cart}, headers: {request: {set: {connection: close}}}}]",
      "error invalid-header-name route[0].headers.request.set.connection",
    );
  });

  it("rewrite the authority in one place only", () => {
    const headers = "headers: {request: {set: {host: b.com}}}";
    expectFinding(
      `rewrite: {authority: a.com}, ${headers}, ${to}`,
      "error conflicting-fields headers.request.set.host",
    );
  });

  it("in Istio 1.0's spelling are read as today's, with a warning", () => {
    const text = rule(
      "appendHeaders: {x-a: '1'}, removeResponseHeaders: [x-b], route: [{destination: {host: cart}, removeRequestHeaders: [x-c], appendResponseHeaders: {x-d: '2'}}]",
    );
    expect(codes(text).map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      "warning deprecated-field spec.http[0].appendHeaders",
      "warning deprecated-field spec.http[0].removeResponseHeaders",
      "warning deprecated-field spec.http[0].route[0].removeRequestHeaders",
      "warning deprecated-field spec.http[0].route[0].appendResponseHeaders",
    ]);
    expect(check(text).resources.virtualServices[0]?.spec.http).toEqual([
      {
        headers: { request: { add: { "x-a": "1" }, remove: [] }, response: { add: {}, remove: ["x-b"] } },
        route: [
          {
            destination: { host: "cart" },
            headers: { request: { add: {}, remove: ["x-c"] }, response: { add: { "x-d": "2" }, remove: [] } },
          },
        ],
      },
    ]);
  });
});

describe("a delegate", () => {
  const root = (delegate: string): string => rule(`delegate: ${delegate}`);
  const other = (name: string, spec: string): string =>
    `---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}, namespace: pay}\nspec: {${spec}}\n`;
  const lines = (text: string): string[] =>
    check(text)
      .diagnostics.filter(({ code }) => !["unknown-gateway", "unknown-host"].includes(code))
      .map(({ severity, code, path, hint }) => `${severity} ${code} ${path}: ${hint ?? ""}`);

  it("is found in another namespace", () => {
    expect(lines(root("{name: carts, namespace: pay}") + other("carts", `http: [{${to}}]`))).toEqual([]);
  });

  it("that does not exist is a warning with the near one named", () => {
    const text = root("{name: cart, namespace: pay}") + other("carts", `http: [{${to}}]`);
    expect(lines(text)).toContain('warning unknown-delegate spec.http[0].delegate.name: Did you mean "pay/carts"?');
    expect(lines(text).join()).toContain("warning unused-delegate spec.hosts");
  });

  it("with hosts of its own is none", () => {
    const text =
      root("{name: carts, namespace: pay}") + other("carts", `hosts: [b.com], gateways: [gw], http: [{${to}}]`);
    expect(lines(text)).toEqual([
      "warning unknown-delegate spec.http[0].delegate.name: Remove its spec.hosts and spec.gateways.",
    ]);
  });

  it("that is not exported is a warning", () => {
    const text = root("{name: carts, namespace: pay}") + other("carts", `exportTo: [.], http: [{${to}}]`);
    expect(lines(text)).toEqual([
      'warning unknown-delegate spec.http[0].delegate.name: Add "shop" to its spec.exportTo.',
    ]);
  });

  it.each([
    [`gateways: [gw], http: [{${to}}]`, "error conflicting-fields spec.gateways"],
    [`http: [{${to}}], tcp: [{${to}}]`, "error conflicting-fields spec.tcp"],
    [`http: [{delegate: {name: b}}]`, "error conflicting-fields spec.http[0].delegate"],
  ])("may not have {%s}", (spec, expected) => {
    const [first] = check(other("carts", spec).slice(4)).diagnostics;
    expect(`${first?.severity} ${first?.code} ${first?.path}`).toBe(expected);
  });
});

describe("matches that an earlier one covers", () => {
  const second = (first: string, later: string): string[] =>
    codes(
      istio(
        "VirtualService",
        `  hosts: [a.com]\n  gateways: [gw]\n  http:\n  - {match: [{${first}}], ${to}}\n  - {match: [{${later}}], ${to}}\n`,
      ),
    );

  it.each([
    ["uri: {prefix: /a}", "uri: {prefix: /ab}"],
    ["uri: {prefix: /a}", "uri: {exact: /a}"],
    ["uri: {prefix: /a}", "uri: {prefix: /a/b}, method: {exact: GET}"],
    ["uri: {prefix: /a}, headers: {x: {exact: b}}", "headers: {x: {exact: b}}, uri: {exact: /a/b}"],
    ["headers: {x: {exact: b}}", "headers: {x: {exact: b}}, uri: {exact: /a/b}"],
    ["headers: {x: {}, y: {}}", "headers: {y: {}, x: {}}"],
  ])("{%s} before {%s} is a warning", (first, later) => {
    expect(second(first, later).map((line) => line.replace(/^9:\d+ /, ""))).toEqual([
      "warning unreachable-rule spec.http[1].match[0]",
    ]);
  });

  it.each([
    ["uri: {prefix: /ab}", "uri: {prefix: /a}"],
    ["uri: {exact: /a}", "uri: {prefix: /a}"],
    ["uri: {prefix: /a}, method: {exact: GET}", "uri: {prefix: /ab}"],
    ["uri: {prefix: /a}, headers: {x: {exact: b}}", "uri: {prefix: /ab}, headers: {x: {exact: c}}"],
    ["uri: {prefix: /a}", "uri: {prefix: /ab}, ignoreUriCase: true"],
    ["uri: {prefix: /a}, sourceLabels: {a: b}", "uri: {prefix: /a}, sourceLabels: {a: c}"],
    ["uri: {prefix: /}, sourceNamespace: a", "uri: {prefix: /a}"],
    ["uri: {prefix: /a}", "uri: {regex: /a.*}"],
  ])("{%s} before {%s} is none", (first, later) => {
    expect(second(first, later)).toEqual([]);
  });

  it("are not looked for behind a delegate, which knows what it takes", () => {
    const text = istio(
      "VirtualService",
      `  hosts: [a.com]\n  gateways: [gw]\n  http:\n  - {match: [{uri: {prefix: /a}}], delegate: {name: b}}\n  - {delegate: {name: c}}\n  - {match: [{uri: {prefix: /a}}], ${to}}\n`,
    );
    expect(codes(text).filter((line) => line.includes("unreachable"))).toEqual([]);
  });
});
