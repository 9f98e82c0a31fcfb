import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Table } from "../../src/model/table.ts";
import {
  decodeDelta,
  decodeTable,
  diffManifests,
  encodeTable,
  manifestVersion,
  patchManifest,
  WireError,
} from "../../src/wire/index.ts";
import { sampleTable } from "./sample-table.ts";

/** Tables that share resources: clusters and virtual hosts are there or not, in one of two states each. */
const tables = fc
  .record({
    clusters: fc.array(fc.constantFrom("absent", "one", "other"), { minLength: 6, maxLength: 6 }),
    hosts: fc.array(fc.constantFrom("absent", "one", "other"), { minLength: 6, maxLength: 6 }),
    routeConfigs: fc.constantFrom(1, 2),
    secrets: fc.boolean(),
  })
  .map((shape): Table => {
    const sample = sampleTable({ virtualHosts: 6 });
    const [cluster, routeConfig] = [sample.clusters[0]!, sample.routeConfigs[0]!];
    const virtualHosts = shape.hosts.flatMap((state, index) => {
      const virtualHost = routeConfig.virtualHosts[index]!;
      return state === "absent" ? [] : [{ ...virtualHost, requireTls: state === "other" }];
    });
    return {
      ...sample,
      clusters: shape.clusters.flatMap((state, index) =>
        state === "absent" ? [] : [{ ...cluster, name: `c${index}`, port: state === "one" ? 80 : 81 }],
      ),
      routeConfigs: Array.from({ length: shape.routeConfigs }, (_, index) => ({
        ...routeConfig,
        name: `${routeConfig.name}${index}`,
        virtualHosts,
      })),
      secrets: shape.secrets ? sample.secrets : [],
    };
  });

function reveal(table: Table): unknown {
  return { ...table, secrets: table.secrets.map((one) => ({ ...one, privateKey: one.privateKey?.reveal() })) };
}

describe("a delta", () => {
  it("leads from any manifest to any other", () => {
    fc.assert(
      fc.property(tables, tables, (from, to) => {
        const [base, next] = [encodeTable(from), encodeTable(to)];
        const patched = patchManifest(base.manifest, diffManifests(base.manifest, next.manifest));
        expect(patched).toStrictEqual(next.manifest);
        expect(manifestVersion(patched)).toBe(next.version);
      }),
    );
  });

  it("makes the table that decoding the whole makes, out of changed bytes only, and leaves the former one alone", () => {
    fc.assert(
      fc.property(tables, tables, (from, to) => {
        const [base, next] = [encodeTable(from), encodeTable(to)];
        const before = decodeTable(base.manifest, (digest) => base.resources.get(digest));
        const delta = diffManifests(base.manifest, next.manifest);
        const sent = new Map(delta.put.map(({ digest }) => [digest, next.resources.get(digest)]));
        const after = decodeDelta(before, { version: next.version, ...delta }, (digest) => sent.get(digest));
        expect(reveal(after.table)).toStrictEqual(reveal(to));
        expect(reveal(before.table)).toStrictEqual(reveal(from));
        for (const cluster of after.table.clusters) {
          if (delta.put.some(({ name }) => name === cluster.name)) continue;
          expect(before.table.clusters).toContain(cluster);
        }
      }),
    );
  });

  it("is empty between equal tables, and holds one entry when one cluster changed among a thousand", () => {
    const sample = sampleTable({ virtualHosts: 1000 });
    const changed = { ...sample, clusters: [{ ...sample.clusters[0]!, port: 1 }] };
    const [base, next] = [encodeTable(sample), encodeTable(changed)];
    expect(diffManifests(base.manifest, base.manifest)).toEqual({ put: [], remove: [] });
    expect(diffManifests(base.manifest, next.manifest).put.map(({ type }) => type)).toEqual(["cluster"]);
  });

  it("with bytes that are not those of their digest is refused", () => {
    const [base, next] = [encodeTable(sampleTable()), encodeTable(sampleTable({ virtualHosts: 5 }))];
    const before = decodeTable(base.manifest, (digest) => base.resources.get(digest));
    const delta = diffManifests(base.manifest, next.manifest);
    expect(() => decodeDelta(before, { version: next.version, ...delta }, () => Buffer.from([0x80]))).toThrow(
      WireError,
    );
  });

  it("that leaves a virtual host without its route config is refused", () => {
    const base = encodeTable(sampleTable());
    const before = decodeTable(base.manifest, (digest) => base.resources.get(digest));
    const remove = base.manifest.filter(({ type }) => type === "route-config");
    expect(() => decodeDelta(before, { version: "v", put: [], remove }, () => undefined)).toThrow(/no route config/);
  });
});
