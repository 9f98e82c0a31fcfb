// What a route takes of the table that goes to every edge and lies on its disk.
import { compileTable, defaultCompileOptions, parseSources, validateDocuments } from "@sluice/core";
import { encodeTable } from "@sluice/core/wire";
import { expect, test } from "vitest";
import { expectWithin } from "./budgets.ts";
import { siteOfHosts, siteOfRoutes } from "./large-site.ts";

const count = 1000;

/** Of the resources and of the manifest, as it is sent when nothing is there yet. */
function tableBytes(site: Readonly<Record<string, string>>): number {
  const files = Object.entries(site).map(([file, text]) => ({ file, text }));
  const { documents } = parseSources(files, { defaultNamespace: "default" });
  const { diagnostics, table } = compileTable(validateDocuments(documents).resources, defaultCompileOptions);
  expect(diagnostics).toEqual([]);
  const { manifest, resources } = encodeTable(table);
  const resourceBytes = [...resources.values()].reduce((sum, { length }) => sum + length, 0);
  return resourceBytes + manifest.reduce((sum, { digest, name, type }) => sum + `${type}${name}${digest}`.length, 0);
}

test("a further host of one route", () => {
  expectWithin("further-host-table", (tableBytes(siteOfHosts(count)) - tableBytes(siteOfHosts(1))) / (count - 1));
});

test("a further route of a host", () => {
  expectWithin("further-route-table", (tableBytes(siteOfRoutes(count)) - tableBytes(siteOfRoutes(1))) / (count - 1));
});
