import { describe, expect, it } from "vitest";
import { check, codes, findings, istio } from "./support.ts";

/** `spec` with hosts on line 5, gateways on line 6, then http; the rules start on line 8. */
function rules(lines: string): string {
  return istio("VirtualService", `  hosts: [a.com]\n  gateways: [gw]\n  http:\n${lines}`);
}

const to = "route: [{destination: {host: cart}}]";

/** One rule with one match, on line 8. */
function match(text: string): string {
  return rules(`  - match: [{${text}}]\n    ${to}\n`);
}

function hosts(text: string, gateways = "gateways: [gw]"): string {
  return istio("VirtualService", `  hosts: ${text}\n  ${gateways}\n  http: [{${to}}]\n`);
}

describe("a correct VirtualService", () => {
  it("is read without a finding", () => {
    const text = rules(
      `  - name: all\n    match:\n    - uri: {prefix: /a}\n      method: {exact: GET}\n      headers: {x-a: {regex: "a+"}, x-b: {}, ":authority": {exact: a}}\n      withoutHeaders: {x-c: {prefix: c}}\n      queryParams: {q: {exact: ""}}\n      port: 80\n      gateways: [gw]\n      ignoreUriCase: true\n    route:\n    - destination: {host: cart, port: {number: 80}}\n      weight: 90\n    - destination: {host: cart.other.svc.cluster.local}\n      weight: 10\n`,
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.virtualServices[0]?.spec).toMatchObject({
      hosts: ["a.com"],
      gateways: ["gw"],
      http: [
        { name: "all", match: [{ uri: { prefix: "/a" }, port: 80, ignoreUriCase: true }], route: [{ weight: 90 }, {}] },
      ],
    });
  });

  it("may be written in snake_case and with empty optional fields", () => {
    const text = rules(
      `  - match: [{ignore_uri_case: true, uri: {prefix: /a}, headers: null, query_params: {my_key: {exact: a}}}]\n    timeout:\n    name:\n    retries: ~\n    ${to}\n`,
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.virtualServices[0]?.spec.http?.[0]).toEqual({
      match: [{ ignoreUriCase: true, uri: { prefix: "/a" }, queryParams: { my_key: { exact: "a" } } }],
      route: [{ destination: { host: "cart" } }],
    });
  });

  it("may carry what Kubernetes adds", () => {
    const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, uid: x, generation: 3, managedFields: [{manager: k}], creationTimestamp: "2024-01-31T12:00:00Z", labels: {a: b}, annotations: {c: d}}\nspec: {hosts: [a.com], gateways: [gw], http: [{${to}}]}\nstatus: {conditions: []}\n`;
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.virtualServices[0]).toMatchObject({
      creationTimestamp: "2024-01-31T12:00:00Z",
      labels: { a: "b" },
      annotations: { c: "d" },
    });
  });
});

describe("metadata", () => {
  it.each([
    ["labels: {a: 1}", "3:31 error wrong-type metadata.labels.a"],
    ["labels: [a]", "3:22 error wrong-type metadata.labels"],
    ["annotations: {a.b/c: true}", '3:36 error wrong-type metadata.annotations["a.b/c"]'],
    ["creationTimestamp: yesterday", "3:22 error invalid-timestamp metadata.creationTimestamp"],
    ["creationTimestamp: null", ""],
  ])("{%s} gives %s", (field, expected) => {
    const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: it, ${field}}\nspec: {hosts: [a.com], gateways: [gw], http: [{${to}}]}\n`;
    expect(codes(text)).toEqual(expected === "" ? [] : [expected]);
  });
});

describe("fields", () => {
  it("that do not exist are errors with the near one named", () => {
    expect(findings(rules(`  - macth: []\n    ${to}\n`))).toEqual([
      'c.yaml:8:5 error unknown-field spec.http[0].macth: there is no field "macth" here (Did you mean "match"?)',
    ]);
    expect(findings(match("uri: {prefx: /a}"))[0]).toBe(
      'c.yaml:8:20 error unknown-field spec.http[0].match[0].uri.prefx: there is no field "prefx" here (Did you mean "prefix"?)',
    );
    expect(codes(`${hosts("[a.com]")}sepc: {}\n`)).toEqual(["8:1 error unknown-field sepc"]);
  });

  it("given in both spellings are errors", () => {
    expect(codes(match("uri: {prefix: /a}, ignore_uri_case: true, ignoreUriCase: false"))).toEqual([
      "8:33 error duplicate-field spec.http[0].match[0].ignore_uri_case",
    ]);
  });

  it.each([
    ["delay", "fault: {delay: {exponentialDelay: 1s, percentage: {value: 1}}}", "8:21", "delay.exponentialDelay"],
    ["abort", "fault: {abort: {http2Error: X, percentage: {value: 1}}}", "8:21", "abort.http2Error"],
  ])("that Istio refuses as well are refused, without a second error: %s", (_, field, place, name) => {
    const text = rules(`  - ${field}\n    ${to}\n`);
    expect(codes(text)).toEqual([`${place} error unsupported-field spec.http[0].fault.${name}`]);
    expect(findings(text)[0]).toContain("Istio does not support them either");
    expect(check(text).resources.virtualServices).toEqual([]);
  });

  it("that are refused may be there with an empty value", () => {
    expect(
      codes(
        istio(
          "VirtualService",
          `  hosts: [a.com]\n  gateways: [gw]\n  tcp: [{match: [{sourceSubnet: "", port: 1}], ${to}}]\n`,
        ),
      ),
    ).toEqual([]);
  });

  it("that cannot matter here are ignored with a warning", () => {
    expect(codes(match("statPrefix: a, uri: {exact: /}"))).toEqual([
      "8:14 warning ignored-field spec.http[0].match[0].statPrefix",
    ]);
    expect(check(match("statPrefix: a, uri: {exact: /}")).resources.virtualServices).toHaveLength(1);
  });

  it("of a wrong type are named with what was expected", () => {
    const text = istio(
      "VirtualService",
      `  hosts: a.com\n  gateways: [1]\n  http:\n  - route: [{destination: {host: a, port: 80}, weight: "1"}]\n`,
    );
    expect(findings(text)).toEqual([
      "c.yaml:5:3 error wrong-type spec.hosts: expected a list, found a string (Write it as a list: start each entry with `- `.)",
      "c.yaml:6:14 error wrong-type spec.gateways[0]: expected a string, found a number (Put it in quotes.)",
      'c.yaml:8:37 error wrong-type spec.http[0].route[0].destination.port: expected a map, found a number (Write "number: 80" (the port) inside it.)',
      "c.yaml:8:48 error wrong-type spec.http[0].route[0].weight: expected a number, found a string (Remove the quotes.)",
    ]);
  });
});

describe("hosts and gateways", () => {
  it.each([
    ["[]", "6:3 error conflicting-fields spec.gateways"],
    ["[a.com, A.com]", "5:18 error duplicate-host spec.hosts[1]"],
    ['[b.a.com, "*.a.com"]', "5:11 error duplicate-host spec.hosts[0]"],
    ['["*.a.com", "*.b.a.com"]', "5:22 error duplicate-host spec.hosts[1]"],
    ['["*", a.com]', "5:16 error duplicate-host spec.hosts[1]"],
    ["[cart, cart.shop.svc.cluster.local]", "5:17 error duplicate-host spec.hosts[1]"],
    ['["a*.com"]', "5:11 error invalid-host spec.hosts[0]"],
  ])("%s gives %s", (list, expected) => {
    expect(codes(hosts(list))).toEqual([expected]);
  });

  it("accept addresses, short names and wildcards beside other names", () => {
    expect(codes(hosts('["192.168.0.62", "::1", cart, "*.a.com", a.com]'))).toEqual([]);
  });

  it("do not accept * on the mesh", () => {
    expect(codes(hosts('["*"]', "gateways: [gw, mesh]"))).toEqual(["5:11 error wildcard-on-mesh spec.hosts[0]"]);
    expect(codes(hosts('["*"]', "exportTo: ['*']"))).toEqual(["5:11 error wildcard-on-mesh spec.hosts[0]"]);
  });

  it.each(["a/b/c", "A", "/a", "a/", "a b"])("do not accept the gateway %j", (name) => {
    expect(codes(hosts("[a.com]", `gateways: [gw, ${JSON.stringify(name)}]`))).toEqual([
      "6:18 error invalid-gateway-name spec.gateways[1]",
    ]);
  });

  it("name the Gateway as today's Istio does, or are warned of", () => {
    expect(findings(hosts("[a.com]", "gateways: [gw.shop.svc.cluster.local]"))).toEqual([
      'c.yaml:6:14 warning legacy-gateway-name spec.gateways[0]: "gw.shop.svc.cluster.local" is the spelling of Istio 0.x (Write "shop/gw".)',
    ]);
  });

  it.each([
    ['["*", a]', "6:14 error invalid-export-to spec.exportTo[0]"],
    ['[a, "~"]', "6:17 error invalid-export-to spec.exportTo[1]"],
    ["[., shop]", "6:17 error invalid-export-to spec.exportTo[1]"],
    ["[A]", "6:14 error invalid-export-to spec.exportTo[0]"],
  ])("exportTo %s gives %s", (exportTo, expected) => {
    expect(codes(hosts("[a.com]", `exportTo: ${exportTo}`))).toEqual([expected]);
  });
});

describe("rules", () => {
  it.each([
    ["  - name: a\n", "8:5 error missing-action spec.http[0]"],
    ["  - route: []\n", "8:5 error missing-action spec.http[0]"],
    ["  - route: [{weight: 1}]\n", "8:13 error missing-field spec.http[0].route[0].destination"],
    [
      "  - route: [{destination: {host: '*.a.com'}}]\n",
      "8:28 error invalid-host spec.http[0].route[0].destination.host",
    ],
    ["  - route: [{destination: {host: 'a b'}}]\n", "8:28 error invalid-host spec.http[0].route[0].destination.host"],
    ["  - route: [{destination: {host: ''}}]\n", "8:28 error invalid-host spec.http[0].route[0].destination.host"],
    [
      "  - route: [{destination: {host: a, port: {}}}]\n",
      "8:37 error missing-field spec.http[0].route[0].destination.port.number",
    ],
    ["  - route: [{destination: {host: a}, weight: -1}]\n", "8:38 error out-of-range spec.http[0].route[0].weight"],
    [
      "  - route: [{destination: {host: a}, weight: 0}, {destination: {host: b}}]\n",
      "8:5 error invalid-weights spec.http[0].route",
    ],
  ])("%j gives %s", (lines, expected) => {
    expect(codes(rules(lines))).toEqual([expected]);
  });

  it("are needed", () => {
    expect(codes(istio("VirtualService", "  hosts: [a.com]\n  gateways: [gw]\n"))).toEqual([
      "4:1 error missing-action spec",
    ]);
  });

  it("with one destination may have the weight 0", () => {
    expect(codes(rules("  - route: [{destination: {host: a}, weight: 0}]\n"))).toEqual([]);
  });
});

describe("matches", () => {
  it.each([
    ["uri: {}", "invalid-match", "uri"],
    ["uri: {exact: /a, prefix: /b}", "invalid-match", "uri"],
    ['uri: {prefix: ""}', "invalid-match", "uri.prefix"],
    ['uri: {exact: ""}', "invalid-match", "uri.exact"],
    ['uri: {regex: ""}', "invalid-regex", "uri.regex"],
    ['uri: {regex: "("}', "invalid-regex", "uri.regex"],
    ['uri: {regex: "a(?=b)"}', "invalid-regex", "uri.regex"],
    ['uri: {regex: "*"}', "invalid-regex", "uri.regex"],
    [`uri: {regex: "${"a".repeat(1025)}"}`, "invalid-regex", "uri.regex"],
    ['uri: {regex: "(a{1000}){1000}"}', "invalid-regex", "uri.regex"],
    ["method: {}", "invalid-match", "method"],
    ['headers: {"a b": {exact: c}}', "invalid-header-name", 'headers["a b"]'],
    ['headers: {x: {prefix: ""}}', "invalid-match", "headers.x.prefix"],
    ['headers: {x: {regex: "("}}', "invalid-regex", "headers.x.regex"],
    ["headers: {x: {exact: a}, X: {exact: b}}", "header-name-case,invalid-header-name", "headers.X"],
    ['headers: {"@request.auth.claims[a]": {exact: c}}', "unsupported-value", 'headers["@request.auth.claims[a]"]'],
    ['headers: {":path": {exact: c}}', "unsupported-value", 'headers[":path"]'],
    ['queryParams: {"": {exact: c}}', "invalid-match", "queryParams"],
    ["port: 0", "out-of-range", "port"],
    ["port: 70000", "out-of-range", "port"],
    ["gateways: [A]", "invalid-gateway-name", "gateways[0]"],
    ["headers: {x: a}", "wrong-type", "headers.x"],
  ])("{%s} gives %s at %s", (text, code, path) => {
    const { diagnostics, resources } = check(match(text));
    const own = diagnostics.filter((diagnostic) => diagnostic.path.startsWith("spec.http[0].match"));
    expect(own.map((diagnostic) => diagnostic.code).join()).toBe(code);
    expect(
      own.every((diagnostic) => diagnostic.line === 8 && diagnostic.path === `spec.http[0].match[0].${path}`),
    ).toBe(true);
    expect(resources.virtualServices).toEqual([]);
  });

  it("say why a regex is refused", () => {
    expect(findings(match('uri: {regex: "(?<!a)b"}'))[0]).toMatch(
      /^c\.yaml:8:20 error invalid-regex .*: "\(\?<!a\)b" is not a usable regular expression: .*\(RE2 has neither look-around/,
    );
  });

  it("compare header names in lower case", () => {
    const text = match("headers: {X-User: {exact: a}}");
    expect(codes(text)).toEqual(["8:24 warning header-name-case spec.http[0].match[0].headers.X-User"]);
    expect(check(text).resources.virtualServices[0]?.spec.http?.[0]?.match?.[0]?.headers).toEqual({
      "x-user": { exact: "a" },
    });
  });

  it("take the regex * on a header as presence", () => {
    const [found] = check(match('headers: {a: {regex: "*"}}')).resources.virtualServices;
    expect(found?.spec.http?.[0]?.match?.[0]?.headers).toEqual({ a: {} });
  });

  it("leave out header names that have a field of their own, as Istio does", () => {
    const text = match("uri: {prefix: /a}, headers: {method: {exact: GET}}");
    expect(codes(text)).toEqual(["8:43 warning ignored-field spec.http[0].match[0].headers.method"]);
    expect(check(text).resources.virtualServices[0]?.spec.http?.[0]?.match?.[0]?.headers).toEqual({});
  });

  it("warn of ignoreUriCase on a regex", () => {
    expect(codes(match("uri: {regex: a}, ignoreUriCase: true"))).toEqual([
      "8:31 warning ineffective-field spec.http[0].match[0].ignoreUriCase",
    ]);
  });
});

describe("rules that no request reaches", () => {
  it.each([
    ["no match", ""],
    ["the prefix /", "match: [{uri: {prefix: /}}]"],
    ["the regex .*", 'match: [{uri: {regex: ".*"}}]'],
    ["an empty match", "match: [{}]"],
  ])("stand behind a rule with %s", (_, condition) => {
    const first = condition === "" ? `  - ${to}\n` : `  - ${condition}\n    ${to}\n`;
    const line = condition === "" ? 9 : 10;
    const found = codes(rules(`${first}  - match: [{uri: {prefix: /a}}]\n    ${to}\n`));
    expect(found).toEqual([`${line}:5 warning unreachable-rule spec.http[1]`]);
  });

  it("repeat an earlier match, also in the same rule", () => {
    const text = rules(
      `  - match: [{uri: {prefix: /a}}, {name: x, uri: {prefix: /a}}]\n    ${to}\n  - match: [{uri: {prefix: /a}}]\n    ${to}\n`,
    );
    expect(codes(text)).toEqual([
      "8:34 warning unreachable-rule spec.http[0].match[1]",
      "10:13 warning unreachable-rule spec.http[1].match[0]",
    ]);
  });

  it.each([
    "method: {exact: GET}",
    "headers: {a: {}}",
    "port: 80",
    "gateways: [gw]",
    "uri: {prefix: /a}",
    "queryParams: {a: {}}",
  ])("do not stand behind {%s}", (condition) => {
    expect(codes(rules(`  - match: [{${condition}}]\n    ${to}\n  - ${to}\n`))).toEqual([]);
  });
});
