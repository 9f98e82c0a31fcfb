import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import type { Table } from "../../src/model/index.ts";
import { decodeTable, digestOf, encodeTable, manifestVersion, WireError } from "../../src/wire/index.ts";
import type { EncodedTable, ManifestEntry, WireErrorReason } from "../../src/wire/index.ts";
import { privateKeyText, sampleTable } from "./sample-table.ts";

const plain = new Packr({ useRecords: false });

function decode(encoded: EncodedTable) {
  return decodeTable(encoded.manifest, (digest) => encoded.resources.get(digest));
}

/** The table with private keys in clear, so that equality compares them. */
function reveal(table: Table): unknown {
  return {
    ...table,
    secrets: table.secrets.map((secret) => ({ ...secret, privateKey: secret.privateKey?.reveal() ?? null })),
  };
}

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reverseKeys(item)]),
  );
}

/** Encodes the sample with the first resource of a type replaced by other bytes, under their true digest. */
function replaceResource(
  type: ManifestEntry["type"],
  bytes: (value: Record<string, unknown>) => Uint8Array,
): EncodedTable {
  const encoded = encodeTable(sampleTable());
  const entry = encoded.manifest.find((candidate) => candidate.type === type) as ManifestEntry;
  const replaced = bytes(plain.unpack(encoded.resources.get(entry.digest) as Uint8Array));
  const digest = digestOf(replaced);
  const manifest = encoded.manifest.map((candidate) => (candidate === entry ? { ...entry, digest } : candidate));
  return { version: "", manifest, resources: new Map([...encoded.resources, [digest, replaced]]) };
}

function expectRefusal(reason: WireErrorReason, action: () => unknown, message?: RegExp): void {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    expect((error as WireError).reason).toBe(reason);
    if (message !== undefined) expect((error as WireError).message).toMatch(message);
    return;
  }
  expect.unreachable(`nothing was refused; expected ${reason}`);
}

describe("encodeTable and decodeTable", () => {
  it("give back the same table, private keys included", () => {
    const table = sampleTable();
    const decoded = decode(encodeTable(table));
    expect(reveal(decoded.table)).toStrictEqual(reveal(table));
    expect(decoded.table.secrets[0]?.privateKey?.reveal()).toBe(privateKeyText);
    expect(JSON.stringify(decoded.table)).not.toContain("not a real key");
  });

  it("give the same bytes for the same table, in whatever order its objects were built", () => {
    const [first, second] = [encodeTable(sampleTable()), encodeTable(reverseKeys(sampleTable()) as Table)];
    expect(second.version).toBe(first.version);
    expect(second.manifest).toStrictEqual(first.manifest);
    for (const [digest, bytes] of first.resources)
      expect(Buffer.compare(bytes, second.resources.get(digest) as Uint8Array)).toBe(0);
  });

  it("give bytes that do not depend on what was encoded before", () => {
    const before = encodeTable(sampleTable());
    encodeTable(sampleTable({ virtualHosts: 50 }));
    expect(encodeTable(sampleTable())).toStrictEqual(before);
  });

  it("keep one known version for the sample: a change here orphans every cached table", () => {
    expect(encodeTable(sampleTable()).version).toMatchInlineSnapshot(`"3374ae9d026c2395"`);
  });

  it("carry every leaf: changing any changes the version", () => {
    const version = encodeTable(sampleTable()).version;
    for (const path of leafPaths(sampleTable())) {
      const changed = withChangedLeaf(sampleTable(), path);
      // The word that tells the objects of a union apart cannot be any other.
      if (
        path.at(-1) === "kind" &&
        ["action", "path", "balancer", "key"].includes(String(path.at(-2))) &&
        !["match", "action"].includes(String(path.at(-3)))
      ) {
        expectRefusal("wrong-shape", () => encodeTable(changed));
        continue;
      }
      expect(encodeTable(changed).version, path.join(".")).not.toBe(version);
    }
  });

  it("encode a resource once, though two route configs hold it", () => {
    const [routeConfig] = sampleTable().routeConfigs;
    const table = { ...sampleTable(), routeConfigs: [routeConfig!, { ...routeConfig!, name: "other" }] };
    const encoded = encodeTable(table);
    expect(encoded.manifest.filter((entry) => entry.type === "virtual-host")).toHaveLength(6);
    expect(encoded.resources.size).toBe(3 + 1 + 2 + 1 + 1);
    expect(reveal(decode(encoded).table)).toStrictEqual(reveal(table));
  });

  it("refuse to encode two resources of one name", () => {
    const table = sampleTable();
    expectRefusal("duplicate-name", () => encodeTable({ ...table, clusters: [...table.clusters, ...table.clusters] }));
  });
});

describe("decodeTable with a previous table", () => {
  it("keeps the object of every unchanged resource and asks only for the changed one", () => {
    const table = sampleTable();
    const first = decode(encodeTable(table));
    const [routeConfig] = table.routeConfigs;
    const [virtualHost, ...others] = routeConfig!.virtualHosts;
    const changed = encodeTable({
      ...table,
      routeConfigs: [{ ...routeConfig!, virtualHosts: [{ ...virtualHost!, requireTls: true }, ...others] }],
    });
    const asked: string[] = [];
    const second = decodeTable(
      changed.manifest,
      (digest) => (asked.push(digest), changed.resources.get(digest)),
      first,
    );

    expect(asked).toHaveLength(1);
    expect(second.version).not.toBe(first.version);
    expect(second.table.listeners[0]).toBe(first.table.listeners[0]);
    expect(second.table.clusters[0]).toBe(first.table.clusters[0]);
    expect(second.table.secrets[0]).toBe(first.table.secrets[0]);
    expect(second.table.routeConfigs[0]).not.toBe(first.table.routeConfigs[0]);
    expect(second.table.routeConfigs[0]?.virtualHosts[0]?.requireTls).toBe(true);
    expect(second.table.routeConfigs[0]?.virtualHosts[1]).toBe(first.table.routeConfigs[0]?.virtualHosts[1]);
  });

  it("keeps the route config too when nothing in it changed", () => {
    const encoded = encodeTable(sampleTable());
    const first = decode(encoded);
    const second = decodeTable(encoded.manifest, () => undefined, first);
    expect(second.table.routeConfigs[0]).toBe(first.table.routeConfigs[0]);
  });

  it("forgets resources that are gone", () => {
    const first = decode(encodeTable(sampleTable({ virtualHosts: 5 })));
    const smaller = encodeTable(sampleTable({ virtualHosts: 2 }));
    const second = decodeTable(smaller.manifest, (digest) => smaller.resources.get(digest), first);
    const sizes = Object.values(second.parts).map((parts) => parts.size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(smaller.manifest.length);
  });
});

describe("decodeTable refuses", () => {
  it("a resource that is not at hand", () => {
    const encoded = encodeTable(sampleTable());
    expectRefusal(
      "missing-resource",
      () => decodeTable(encoded.manifest, () => undefined),
      /^listener 0\.0\.0\.0_443|^route-config/,
    );
  });

  it("bytes that are not those of the digest", () => {
    const encoded = encodeTable(sampleTable());
    const flipped = (digest: string) => {
      const bytes = Buffer.from(encoded.resources.get(digest) as Uint8Array);
      bytes[bytes.length - 1]! ^= 1;
      return bytes;
    };
    expectRefusal("digest-mismatch", () => decodeTable(encoded.manifest, flipped));
  });

  it.each([
    [
      "a missing field",
      "cluster",
      (value: Record<string, unknown>) => Object.fromEntries(Object.entries(value).filter(([key]) => key !== "host")),
      /cluster outbound.*: host is not a string/,
    ],
    ["a wrong type", "cluster", (value: Record<string, unknown>) => ({ ...value, port: "80" }), /port is not a port/],
    [
      "a port beyond 65535",
      "cluster",
      (value: Record<string, unknown>) => ({ ...value, port: 65_536 }),
      /port is not a port/,
    ],
    [
      "a field deep inside",
      "cluster",
      (value: Record<string, unknown>) => ({
        ...value,
        endpoints: [{ address: "a", port: 1, weight: 0, healthy: true }],
      }),
      /endpoints\[0\]\.weight is not a positive number/,
    ],
    [
      "an unknown word",
      "secret",
      (value: Record<string, unknown>) => ({ ...value, status: "fine" }),
      /status is not one of ready, missing, invalid/,
    ],
    [
      "a route without clusters",
      "virtual-host",
      (value: Record<string, unknown>) => ({
        ...value,
        routes: [{ ...(value["routes"] as object[])[0], action: { kind: "forward", clusters: [] } }],
      }),
      /routes\[0\]\.action\.clusters is empty/,
    ],
    [
      "another name than the manifest's",
      "cluster",
      (value: Record<string, unknown>) => ({ ...value, name: "other" }),
      /calls itself other/,
    ],
    ["a list where an object belongs", "listener", () => [], /is not an object/],
  ] as const)("%s", (_, type, change, message) => {
    expectRefusal("wrong-shape", () => decode(replaceResource(type, (value) => plain.pack(change(value)))), message);
  });

  it("a virtual host that the manifest lacks", () => {
    const encoded = encodeTable(sampleTable());
    const manifest = encoded.manifest.filter((entry) => !entry.name.includes("host-00001"));
    expectRefusal("dangling-reference", () => decode({ ...encoded, manifest }), /host-00001/);
  });

  it("a virtual host that no route config names", () => {
    const encoded = encodeTable(sampleTable());
    const manifest = encoded.manifest.filter((entry) => entry.type !== "route-config");
    expectRefusal("dangling-reference", () => decode({ ...encoded, manifest }));
  });

  it("the same name twice", () => {
    const encoded = encodeTable(sampleTable());
    expectRefusal("duplicate-name", () =>
      decode({ ...encoded, manifest: [...encoded.manifest, encoded.manifest[0]!] }),
    );
  });

  it.each([
    ["a date extension", [0xd6, 0xff, 0, 0, 0, 0]],
    ["a record definition", [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01]],
    ["a regular expression", [0xc7, 0x04, 0x78, 0x92, 0xa1, 0x61, 0xa0]],
    ["the unused type", [0xc1]],
    ["a list that claims four billion items", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a text longer than the input", [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ["a number as key", [0x81, 0x01, 0x01]],
    ["trailing bytes", [0x80, 0x80]],
    ["nothing", []],
    ["a truncated map", [0x82, 0xa1, 0x61, 0x01]],
    ["a thousand nested lists", [...Array.from({ length: 1000 }, () => 0x91), 0xc0]],
  ])("%s", (_, bytes) => {
    expectRefusal("malformed", () => decode(replaceResource("cluster", () => Uint8Array.from(bytes))));
  });
});

describe("decodeTable accepts", () => {
  it("fields it does not know and leaves them out", () => {
    const decoded = decode(replaceResource("cluster", (value) => plain.pack({ ...value, fromTheFuture: true })));
    expect(decoded.table.clusters[0]).toStrictEqual(sampleTable().clusters[0]);
  });

  it("a manifest in any order, with the same version", () => {
    const encoded = encodeTable(sampleTable());
    const shuffled = encoded.manifest.toReversed();
    expect(manifestVersion(shuffled)).toBe(encoded.version);
    expect(decode({ ...encoded, manifest: shuffled }).version).toBe(encoded.version);
  });
});

type Path = readonly (string | number)[];

function leafPaths(value: unknown, prefix: Path = []): Path[] {
  if (
    typeof value !== "object" ||
    value === null ||
    (Object.getPrototypeOf(value) !== Object.prototype && !Array.isArray(value))
  )
    return [prefix];
  return Object.entries(value).flatMap(([key, item]) => leafPaths(item, [...prefix, key]));
}

/** The table with one leaf turned into another value of its type. */
function withChangedLeaf(value: unknown, path: Path): Table {
  const [step, ...rest] = path;
  if (step === undefined) return changeLeaf(value) as never;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  (copy as Record<string, unknown>)[step] = withChangedLeaf((value as Record<string, unknown>)[step], rest);
  return copy as never;
}

function changeLeaf(leaf: unknown): unknown {
  if (typeof leaf === "string") return `${leaf}x`;
  if (typeof leaf === "number") return leaf + 1;
  if (typeof leaf === "boolean") return !leaf;
  if (leaf === null) return "x";
  if (leaf instanceof Uint8Array) return Buffer.from("other");
  return { reveal: () => "another key" };
}
