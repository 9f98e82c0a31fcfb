// What a new table costs a worker: decoding one from nothing, and taking in a change of one virtual service among 10,000.
import {
  type DecodedTable,
  decodeTable,
  diffManifests,
  type EncodedTable,
  encodeTable,
  TablePatch,
} from "@sluice/core/wire";
import { buildRuntimeTable, RouteMetrics, type RuntimeTable } from "@sluice/edge/hot-path";
import { assertIs, measure, type Measure, printMeasures } from "./measure.ts";
import { compileSite, siteText } from "./site.ts";

function decode(encoded: EncodedTable): DecodedTable {
  return decodeTable(encoded.manifest, (digest) => encoded.resources.get(digest));
}

function hostsOf({ table }: DecodedTable | RuntimeTable): number {
  return table.routeConfigs.reduce((sum, { virtualHosts }) => sum + virtualHosts.length, 0);
}

/** From bytes to objects, every digest compared. */
export async function benchDecode(): Promise<void> {
  const measures: Measure[] = [];
  for (const count of [1, 100, 10_000]) {
    const encoded = encodeTable(compileSite(siteText(count)));
    const name = `${count.toLocaleString("en")} hosts, ${encoded.resources.size.toLocaleString("en")} resources`;
    assertIs(hostsOf(decode(encoded)), count, name);
    measures.push(await measure(name, () => decode(encoded)));
  }
  printMeasures("Decoding a table", measures);
}

const count = 10_000;
const changed = 4711;

/** What `stage`, `prepare` and `commit` do in a worker when one virtual service was changed; what follows them touches clusters and listeners only. */
export async function benchDelta(): Promise<void> {
  const before = encodeTable(compileSite(siteText(count)));
  const after = encodeTable(compileSite(siteText(count, changed)));
  const { put, remove } = diffManifests(before.manifest, after.manifest);
  const live = decode(before);
  const metrics = new RouteMetrics();
  const recorderOf = metrics.recorderOf.bind(metrics);
  const runtime = buildRuntimeTable({ version: before.version, table: live.table, previous: null, recorderOf });
  const patchTable = (): DecodedTable => {
    const patch = new TablePatch(live);
    for (const key of remove) patch.remove(key);
    for (const entry of put) patch.put(entry, after.resources.get(entry.digest) ?? new Uint8Array());
    return patch.finish(after.version);
  };
  const apply = (): RuntimeTable =>
    buildRuntimeTable({ version: after.version, table: patchTable().table, previous: runtime, recorderOf });
  assertChangesOne(live, apply());
  printMeasures(`A change of one virtual service of ${count.toLocaleString("en")}`, [
    await measure("the table patched", patchTable),
    await measure("patched, and made ready for requests", apply),
  ]);
}

function assertChangesOne(live: DecodedTable, next: RuntimeTable): void {
  const before = new Set(live.table.routeConfigs.flatMap(({ virtualHosts }) => virtualHosts));
  const hosts = next.table.routeConfigs.flatMap(({ virtualHosts }) => virtualHosts);
  assertIs(hosts.length, count, "hosts behind the change");
  const added = hosts.filter((host) => !before.has(host));
  assertIs(added.map(({ domains }) => domains[0]).join(), `shop-${changed}.example.com`, "what the change touched");
  assertIs(added[0]?.routes[0]?.match.path?.value, "/basket", "the changed prefix");
}
