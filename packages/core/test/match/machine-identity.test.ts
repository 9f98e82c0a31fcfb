// Which certificate speaks for which machine: the attacks are certificates that the right authority signed for somebody else.
import "reflect-metadata";
import { SubjectAlternativeNameExtension } from "@peculiar/x509";
import { beforeAll, describe, expect, test } from "vitest";
import { findIdentityProblem } from "../../src/match/index.ts";
import { type Authority, issueLeaf, type LeafOptions, makeAuthority } from "./certificates.ts";

let authority: Authority;
beforeAll(async () => {
  authority = await makeAuthority("machines");
});

const byName = ["{id}"];
const byUri = ["spiffe://tier.example/edge/{id}"];

async function problemOf(
  options: LeafOptions,
  id: string,
  patterns: readonly string[] = byName,
): Promise<string | null> {
  return findIdentityProblem(new Uint8Array((await issueLeaf(authority, options)).rawData), id, patterns);
}

const dns = (...values: string[]): LeafOptions => ({ sans: values.map((value) => ({ type: "dns", value })) });
const uri = (...values: string[]): LeafOptions => ({ sans: values.map((value) => ({ type: "url", value })) });

describe("a machine's certificate", () => {
  test.each([
    ["a DNS name that is its id", dns("other", "edge-1"), "edge-1", byName],
    ["it in another case: DNS names have none", dns("EDGE-1.example"), "edge-1.Example", byName],
    ["a URI with its id in the place for it", uri("spiffe://tier.example/edge/edge-1"), "edge-1", byUri],
    ["one of several patterns", uri("spiffe://tier.example/edge/edge-1"), "edge-1", [...byName, ...byUri]],
  ])("speaks for it by %s", async (_, options, id, patterns) => {
    expect(await problemOf(options, id, patterns)).toBeNull();
  });

  test.each([
    ["another name", dns("edge-2"), "edge-1", byName],
    ["no name", {}, "edge-1", byName],
    ["a wildcard that would cover it", dns("*.example"), "edge-1.example", byName],
    ["a longer name", dns("edge-1.evil", "evil.edge-1", "edge-11"), "edge-1", byName],
    ["its id as e-mail address", { sans: [{ type: "email", value: "edge-1" }] } as const, "edge-1", byName],
    ["the URI written as a DNS name", dns("spiffe://tier.example/edge/edge-1"), "edge-1", byUri],
    ["the DNS name written as a URI", uri("edge:1"), "edge-1", byName],
    ["the URI in another case", uri("spiffe://TIER.example/edge/edge-1"), "edge-1", byUri],
    ["the URI of a longer path", uri("spiffe://tier.example/edge/edge-1/x"), "edge-1", byUri],
    ["a list of names in one name", dns("evil, DNS:edge-1"), "edge-1", byName],
    ["a NUL behind its id", dns("edge-1\0.evil"), "edge-1", byName],
  ] as const)("with %s does not", async (_, options, id, patterns) => {
    expect(await problemOf(options, id, patterns)).toMatch(/^its certificate/);
  });

  test("with names in two extensions does not: which of them counts differs between readers", async () => {
    const extensions = ["edge-1", "edge-2"].map(
      (value) => new SubjectAlternativeNameExtension([{ type: "dns" as const, value }]),
    );
    expect(await problemOf({ extensions }, "edge-1")).toContain("one subject alternative name extension");
  });

  test("of too many names, too many bytes, or that is none does not", async () => {
    const many = dns(...Array.from({ length: 101 }, (_, index) => `edge-${index}`));
    expect(await problemOf(many, "edge-1")).toContain("more than 100 names");
    expect(findIdentityProblem(new Uint8Array(65 * 1024), "edge-1", byName)).toContain("larger than");
    expect(findIdentityProblem(Uint8Array.of(1, 2, 3), "edge-1", byName)).toContain("cannot be parsed");
  });
});

test.each(["", "/", "a/b", "..", "*.example", "a b", "edge-1\n", "edge-1\0", "é", "{id}", "-a", "a".repeat(254)])(
  "%j is no id, whatever the certificate says",
  async (id) => {
    const holdsIt = uri(`spiffe://tier.example/edge/${encodeURI(id)}`);
    expect(await problemOf(holdsIt, id, byUri)).toContain("is no id");
  },
);
