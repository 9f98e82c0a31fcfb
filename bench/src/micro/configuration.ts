// What a large configuration costs: 10,000 VirtualServices from text to bytes, stage by stage, and the bytes of the table.
import { compileTable, defaultCompileOptions, parseSources, validateDocuments } from "@sluice/core";
import { decodeTable, encodeTable } from "@sluice/core/wire";
import { printTable } from "./measure.ts";
import { siteText } from "./site.ts";

/** Times every stage once: a configuration is compiled once, cold, when a control plane starts. */
export function benchConfiguration(): void {
  const rows = [100, 1000, 10_000].map(measure);
  const columns = [
    "VirtualServices",
    "parse ms",
    "validate ms",
    "compile ms",
    "encode ms",
    "decode ms",
    "table KiB",
    "bytes a host",
    "heap MiB",
  ];
  printTable("Configuration from text to table", columns, rows);
}

function measure(count: number): readonly string[] {
  const files = [{ file: "bench.yaml", text: siteText(count) }];
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const stages: string[] = [];
  const timed = <Result>(stage: () => Result): Result => {
    const startedAt = performance.now();
    const result = stage();
    stages.push((performance.now() - startedAt).toFixed(0));
    return result;
  };
  const parsed = timed(() => parseSources(files, { defaultNamespace: "default" }));
  const validated = timed(() => validateDocuments(parsed.documents));
  const compiled = timed(() => compileTable(validated.resources, defaultCompileOptions));
  const encoded = timed(() => encodeTable(compiled.table));
  const decoded = timed(() => decodeTable(encoded.manifest, (digest) => encoded.resources.get(digest)));
  const heapAfter = process.memoryUsage().heapUsed;
  const hosts = decoded.table.routeConfigs[0]?.virtualHosts.length;
  if (hosts !== count) throw new Error(`${count} hosts were written, ${hosts} compiled`);
  const bytes = [...encoded.resources.values()].reduce((sum, resource) => sum + resource.length, 0);
  const sizes = [bytes / 1024, bytes / count, (heapAfter - heapBefore) / 1_048_576];
  return [count.toLocaleString("en"), ...stages, ...sizes.map((size) => size.toFixed(0))];
}
