import { describe, expect, test } from "vitest";
import { caObjectNames, caResourceName, parseCredentialName } from "../../src/compile/credential-name.ts";

describe("parseCredentialName", () => {
  test.each([
    ["shop", { source: "Secret", namespace: "edge", name: "shop" }],
    ["kubernetes://shop", { source: "Secret", namespace: "edge", name: "shop" }],
    ["kubernetes://team/shop", { source: "Secret", namespace: "team", name: "shop" }],
    ["kubernetes-gateway://team/shop", { source: "Secret", namespace: "team", name: "shop" }],
    ["configmap://team/roots", { source: "ConfigMap", namespace: "team", name: "roots" }],
  ])("reads %s", (text, credential) => {
    expect(parseCredentialName(text, "edge")).toEqual(credential);
  });

  test.each(["", "kubernetes://", "kubernetes:///shop", "a/b/c", "sds://shop", "builtin://", "file://x"])(
    "refuses %j",
    (text) => {
      expect(parseCredentialName(text, "edge")).toBeNull();
    },
  );
});

describe("the client CA of a credential", () => {
  test("has one name and one lookup order, with and without the suffix", () => {
    for (const name of ["shop", "shop-cacert"]) {
      const credential = { source: "Secret", namespace: "edge", name } as const;
      expect(caResourceName(credential)).toBe("kubernetes://edge/shop-cacert");
      expect(caObjectNames(credential)).toEqual(["shop-cacert", "shop"]);
    }
  });
});
