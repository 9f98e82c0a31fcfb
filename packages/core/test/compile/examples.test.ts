// The examples are the five topologies of the document that Sluice was asked for from.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import { dumpListeners, dumpRoutes } from "../../src/dump/index.ts";
import { buildResources } from "./build-resources.ts";

const root = new URL("../../../../", import.meta.url);

function compileExample(name: string) {
  const directory = new URL(`config/examples/${name}/`, root);
  const texts = readdirSync(directory).map((file) => readFileSync(new URL(file, directory), "utf8"));
  return compileTable(buildResources(...texts), defaultCompileOptions);
}

describe.each(["plain-http", "tls-redirect", "mutual-tls", "multi-host-http", "multi-host-tls"])(
  "example %s",
  (name) => {
    test("prints what the document prints", () => {
      const { table } = compileExample(name);
      const golden = readFileSync(new URL(`test/golden/seed-${name}.yaml`, root), "utf8").split(/^-{5,}$/m)[1] ?? "";
      const printed = {
        "istio-1.0/listeners": dumpListeners(table, "istio-1.0"),
        "istio-1.0/routes": dumpRoutes(table, "istio-1.0"),
      };
      expect(printed).toEqual(parse(golden));
    });

    test("leads every route to an endpoint, and misses nothing but certificate files", () => {
      const { table, diagnostics } = compileExample(name);
      const clusters = new Map(table.clusters.map((cluster) => [cluster.name, cluster]));
      const routes = table.routeConfigs.flatMap(({ virtualHosts }) => virtualHosts.flatMap((host) => host.routes));
      expect(routes.length).toBeGreaterThan(0);
      for (const { action } of routes) {
        const [target] = action.clusters;
        expect(clusters.get(target?.cluster ?? "")?.endpoints).toMatchObject([{ address: "127.0.0.1", port: 8000 }]);
      }
      expect(diagnostics.filter(({ code }) => code !== "missing-certificate-file")).toEqual([]);
    });
  },
);
