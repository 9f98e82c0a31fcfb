// Small tables to publish. Two tables share the resources that are equal.
import { plainTransport } from "@sluice/core/model";
import type { Table } from "@sluice/core/model";
import { type EncodedTable, encodeTable } from "@sluice/core/wire";

/** A table of one cluster a name. */
export function tableOf(...names: string[]): EncodedTable {
  const clusters = names.map((name) => ({
    name,
    host: name,
    port: 80,
    subset: "",
    discovery: "EDS" as const,
    connectTimeoutMs: 10_000,
    ...plainTransport,
    endpoints: [],
  }));
  const table: Table = { listeners: [], routeConfigs: [], clusters, secrets: [] };
  return encodeTable(table);
}
