import { describe, expect, it } from "vitest";
import { ConfigurationMemory } from "../src/compile/configuration-memory.ts";
import { joinOrigins } from "../src/compile/origins.ts";
import { isRedacted, redactSecrets } from "../src/compile/redaction.ts";

const stored = (name: string, data: object = {}) => ({
  kind: "ConfigMap" as const,
  namespace: "default",
  name,
  text: JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data }),
});
const file = (name: string) => ({
  file: "a.yaml",
  text: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`,
});
const options = { defaultNamespace: "default" };

describe("resources of several origins", () => {
  it("are the files' first, then what was pushed, in an order that does not depend on when", () => {
    const names = (list: readonly ReturnType<typeof stored>[]) =>
      joinOrigins({ texts: [file("z")], stored: list, ...options }).documents.map(({ name }) => name);
    expect(names([stored("b"), stored("a")])).toEqual(["z", "a", "b"]);
    expect(names([stored("a"), stored("b")])).toEqual(["z", "a", "b"]);
  });

  it("are used from the file where both have one, with a warning at the file's place", () => {
    const { documents, diagnostics, declared } = joinOrigins({ texts: [file("a")], stored: [stored("a")], ...options });
    expect(documents.map(({ value }) => value["data"])).toEqual([undefined]);
    expect(diagnostics).toMatchObject([
      { code: "shadowed-resource", severity: "warning", file: "a.yaml", line: 4, resource: "ConfigMap default/a" },
    ]);
    expect(declared).toEqual(new Map([["ConfigMap default/a", "a.yaml:1"]]));
  });

  it("keep their objects from one reading to the next, but for those that changed", () => {
    const memory = new ConfigurationMemory();
    const read = (list: readonly ReturnType<typeof stored>[]) =>
      joinOrigins({ texts: [], stored: list, ...options }, memory).documents;
    const before = read([stored("a"), stored("b", { x: "1" })]);
    const after = read([stored("a"), stored("b", { x: "2" })]);
    expect([after[0] === before[0], after[1] === before[1]]).toEqual([true, false]);
    expect(after[1]?.value["data"]).toEqual({ x: "2" });
  });

  it("have places in the text that `sluice get -o json` prints", () => {
    const [document] = joinOrigins({ texts: [], stored: [stored("a", { x: "1" })], ...options }).documents;
    expect(document?.locate(["data", "x"])).toEqual({ file: "stored/ConfigMap/default/a", line: 9, column: 5 });
  });
});

describe("a Secret that may be seen", () => {
  const secret = {
    kind: "Secret",
    metadata: {
      name: "s",
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"k":"aHVudGVyMg=="}}', other: "x" },
    },
    data: { k: "aHVudGVyMg==" },
    stringData: { p: "hunter2" },
  };

  it("has its keys and no value, not even in kubectl's copy of it", () => {
    const seen = redactSecrets(secret);
    expect(JSON.stringify(seen)).not.toMatch(/hunter2|aHVudGVy/);
    expect(seen).toMatchObject({ data: { k: "[redacted]" }, stringData: { p: "[redacted]" } });
    expect(seen["metadata"]).toEqual({ name: "s", annotations: { other: "x" } });
    expect([isRedacted(seen), isRedacted(secret)]).toEqual([true, false]);
  });

  it("has no value under a name that was misspelt either", () => {
    const misspelt = {
      kind: "Secret",
      metadata: { name: "s" },
      type: "Opaque",
      stringdata: { p: "hunter2" },
      text: "hunter2",
    };
    const seen = redactSecrets(misspelt);
    expect(seen).toEqual({ ...misspelt, stringdata: { p: "[redacted]" }, text: "[redacted]" });
    expect([isRedacted(seen), isRedacted(misspelt)]).toEqual([true, false]);
  });

  it("is not confused with other kinds", () => {
    const map = { kind: "ConfigMap", data: { k: "[redacted]" } };
    expect([redactSecrets(map), isRedacted(map)]).toEqual([map, false]);
  });
});
