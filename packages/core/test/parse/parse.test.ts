import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../src/model/index.ts";
import { parseSources } from "../../src/parse/index.ts";
import { toLine } from "../validate/support.ts";

function parse(text: string, file = "a.yaml") {
  return parseSources([{ file, text }], { defaultNamespace: "default" });
}

function lines(text: string): string[] {
  return parse(text).diagnostics.map(toLine);
}

function brief({ line, column, severity, code, path }: Diagnostic): string {
  return `${line}:${column} ${severity} ${code} ${path}`;
}

function codes(text: string): string[] {
  return parse(text).diagnostics.map(brief);
}

const gateway = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata:\n  name: gw\n  namespace: edge\n";

describe("reading documents", () => {
  it("reads several documents of a file and skips empty ones", () => {
    const text = `# only a comment\n---\n${gateway}---\n---\n\n--- \n# nothing\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n`;
    const { documents, diagnostics } = parse(text);
    expect(diagnostics).toEqual([]);
    expect(documents.map(({ kind, namespace, name }) => [kind, namespace, name])).toEqual([
      ["Gateway", "edge", "gw"],
      ["Secret", "default", "s"],
    ]);
  });

  it("reads an empty text, and one of nothing but comments", () => {
    for (const text of ["", "\n", "# x\n", "---\n", "\uFEFF"]) {
      expect(parse(text)).toEqual({ documents: [], diagnostics: [] });
    }
  });

  it("reads JSON, also indented with tabs and after a byte order mark", () => {
    const json = '\uFEFF{\n\t"apiVersion": "v1",\n\t"kind": "Service",\n\t"metadata": {\n\t\t"name": "a"\n\t}\n}\n';
    const { documents, diagnostics } = parse(json);
    expect(diagnostics).toEqual([]);
    expect(documents[0]?.locate(["metadata", "name"])).toEqual({ file: "a.yaml", line: 5, column: 3 });
  });

  it("counts lines with Windows line ends", () => {
    const { documents } = parse(gateway.replaceAll("\n", "\r\n"));
    expect(documents[0]?.locate(["metadata", "name"])).toMatchObject({ line: 4, column: 3 });
  });

  it("keeps words that YAML 1.1 read as other things, whatever a directive says", () => {
    const text = `%YAML 1.1\n---\n${gateway}  labels: {a: no, b: on, c: 2020-01-01}\n`;
    expect(parse(text).documents[0]?.value["metadata"]).toMatchObject({
      labels: { a: "no", b: "on", c: "2020-01-01" },
    });
  });

  it("merges maps, the map's own keys first", () => {
    const text = `${gateway}x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nspec:\n  <<: [*x, *y]\n  a: 0\n`;
    const { documents, diagnostics } = parse(text);
    expect(diagnostics).toEqual([]);
    expect(documents[0]?.value["spec"]).toEqual({ b: 1, c: 2, a: 0 });
    expect(documents[0]?.locate(["spec", "c"])).toMatchObject({ line: 7, column: 14 });
  });

  it("reads an alias as the value of the nearest anchor before it", () => {
    const text = `${gateway}a: &x {b: &y 1}\nc: &y 2\nd: *x\ne: *y\n`;
    expect(parse(text).documents[0]?.value).toMatchObject({ d: { b: 1 }, e: 2 });
  });
});

describe("places", () => {
  const [document] = parse(
    `${gateway}spec:\n  servers:\n  - port:\n      number: 80\n    hosts:\n    - a\n    - {ns: b}\n  credential_name: x\n`,
  ).documents;
  const place = (...path: (string | number)[]) => {
    const { line, column } = document?.locate(path) ?? { line: 0, column: 0 };
    return `${line}:${column}`;
  };

  it("are those of the key in a map and of the entry in a list", () => {
    expect(place()).toBe("1:1");
    expect(place("spec", "servers")).toBe("7:3");
    expect(place("spec", "servers", 0)).toBe("8:5");
    expect(place("spec", "servers", 0, "port", "number")).toBe("9:7");
    expect(place("spec", "servers", 0, "hosts", 1, "ns")).toBe("12:8");
  });

  it("are those of the nearest enclosing field when the field is absent", () => {
    expect(place("spec", "servers", 0, "tls", "mode")).toBe("8:5");
    expect(place("spec", "servers", 7)).toBe("7:3");
    expect(place("status")).toBe("1:1");
  });

  it("find a snake_case key by its camelCase name", () => {
    expect(place("spec", "credentialName")).toBe("13:3");
  });
});

describe("lists", () => {
  it("are expanded, with places inside of the items", () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n- kind: List\n  items:\n  - apiVersion: v1\n    kind: Secret\n    metadata: {name: b}\n`;
    const { documents, diagnostics } = parse(text);
    expect(diagnostics).toEqual([]);
    expect(documents.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(documents[1]?.locate(["metadata", "name"])).toMatchObject({ line: 12, column: 16 });
  });

  it("of one type give their items what the API server leaves out", () => {
    const text = `apiVersion: networking.istio.io/v1beta1\nkind: GatewayList\nitems:\n- metadata: {name: a}\n`;
    const { documents, diagnostics } = parse(text);
    expect(diagnostics).toEqual([]);
    expect(documents[0]).toMatchObject({ kind: "Gateway", apiVersion: "networking.istio.io/v1beta1", name: "a" });
  });

  it("may be empty", () => {
    expect(parse("apiVersion: v1\nkind: List\nitems: []\n---\nkind: List\n")).toEqual({
      documents: [],
      diagnostics: [],
    });
  });
});

describe("identity", () => {
  it("takes the current version of the kind where apiVersion is missing, with a warning", () => {
    const { documents, diagnostics } = parse(
      "kind: Gateway\nmetadata: {name: a}\n---\nkind: Secret\nmetadata: {name: a}\n",
    );
    expect(documents.map(({ apiVersion }) => apiVersion)).toEqual(["networking.istio.io/v1", "v1"]);
    expect(toLine(diagnostics[0] as Diagnostic)).toBe(
      'a.yaml:1:1 warning missing-api-version kind: no apiVersion; read as networking.istio.io/v1 (Add "apiVersion: networking.istio.io/v1".)',
    );
    expect(diagnostics.map(brief)[1]).toBe("4:1 warning missing-api-version kind");
    expect(diagnostics[0]?.resource).toBe("Gateway default/a");
  });

  it.each(["v1alpha3", "v1beta1", "v1"])("accepts networking.istio.io/%s", (version) => {
    expect(codes(`apiVersion: networking.istio.io/${version}\nkind: VirtualService\nmetadata: {name: a}\n`)).toEqual(
      [],
    );
  });

  it("skips unknown kinds with a warning that names a near one", () => {
    expect(lines(`${gateway}---\nkind: VirtualServce\nmetadata: {name: a}\n---\nkind: Deployment\n`)).toEqual([
      'a.yaml:7:1 warning unknown-kind kind: "VirtualServce" is not a kind that Sluice reads; the document is skipped (Did you mean "VirtualService"?)',
      'a.yaml:10:1 warning unknown-kind kind: "Deployment" is not a kind that Sluice reads; the document is skipped',
    ]);
  });

  it("skips a known kind of another group with a warning", () => {
    expect(codes("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\n")).toEqual([
      "1:1 warning unknown-kind apiVersion",
    ]);
    expect(lines("kind: Gateway\napiVersion: networking.istio.oi/v1\n")[0]).toContain(
      'Did you mean "networking.istio.io/v1"?',
    );
  });

  it("refuses an unsupported version of a known group", () => {
    const text =
      "apiVersion: networking.istio.io/v1alpha1\nkind: Gateway\nmetadata: {name: a}\n---\napiVersion: v2\nkind: Service\n";
    expect(codes(text)).toEqual([
      "1:1 error unsupported-api-version apiVersion",
      "5:1 error unsupported-api-version apiVersion",
    ]);
  });

  it("refuses what is no resource, has no kind or no name", () => {
    const text = `- a\n---\nhello\n---\nmetadata: {name: a}\n---\nkind: [a]\n---\napiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: Secret\nmetadata: x\n`;
    expect(codes(text)).toEqual([
      "1:1 error not-a-resource ",
      "3:1 error not-a-resource ",
      "5:1 error missing-kind ",
      "7:1 error wrong-type kind",
      "9:1 error missing-name metadata",
      "14:1 error wrong-type metadata",
    ]);
  });

  it.each([
    ["{name: A}", "metadata.name"],
    ["{name: a_b}", "metadata.name"],
    ["{name: -a}", "metadata.name"],
    ["{name: a..b}", "metadata.name"],
    [`{name: ${"a".repeat(64)}}`, "metadata.name"],
    [`{name: ../../etc/passwd}`, "metadata.name"],
    ["{name: a, namespace: a.b}", "metadata.namespace"],
    [`{name: a, namespace: "a b"}`, "metadata.namespace"],
  ])("refuses the name %s", (metadata, path) => {
    const found = parse(`apiVersion: v1\nkind: Secret\nmetadata: ${metadata}\n`);
    expect(found.documents).toEqual([]);
    expect(found.diagnostics.map(({ code, path: at, line }) => [code, at, line])).toEqual([["invalid-name", path, 3]]);
  });

  it("refuses names that are not texts", () => {
    expect(lines("apiVersion: v1\nkind: Secret\nmetadata: {name: 1}\n")).toEqual([
      "a.yaml:3:12 error wrong-type metadata.name: expected a string, found a number",
    ]);
  });

  it("refuses the second of two documents with one name and names both places", () => {
    const sources = [
      { file: "a.yaml", text: gateway },
      { file: "b.yaml", text: `apiVersion: v1\nkind: Secret\nmetadata: {name: gw, namespace: edge}\n---\n${gateway}` },
    ];
    const { documents, diagnostics } = parseSources(sources, { defaultNamespace: "default" });
    expect(documents.map(({ kind }) => kind)).toEqual(["Gateway", "Secret"]);
    expect(diagnostics.map(toLine)).toEqual([
      "b.yaml:8:3 error duplicate-resource metadata.name: Gateway edge/gw is already defined at a.yaml:4:3 (Rename or remove one of the two.)",
    ]);
  });
});
