// The first examples are the five topologies of the document that Sluice was asked for from; the others show a protocol each.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import { dumpListeners, dumpRoutes } from "../../src/dump/index.ts";
import { explain } from "../../src/explain/index.ts";
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
        const [target] = action.kind === "forward" ? action.clusters : [];
        expect(clusters.get(target?.cluster ?? "")?.endpoints).toMatchObject([{ address: "127.0.0.1", port: 8000 }]);
      }
      expect(diagnostics.filter(({ code }) => code !== "missing-certificate-file")).toEqual([]);
    });
  },
);

describe("example", () => {
  test.each([
    ["tls-passthrough", { port: 443, scheme: "https", sni: "bank.secure.example" }, "passthrough", ["8443||bank"]],
    ["tls-passthrough", { port: 443, scheme: "https", sni: "a.secure.example" }, "passthrough", ["8444||others"]],
    ["tcp", { port: 5432, scheme: "tcp" }, "tcp", ["15432||database", "15433||database-next"]],
    ["tls-tcp", { port: 8883, scheme: "tcp", sni: "public.queue.example" }, "tcp", ["1883||queue"]],
    [
      "grpc",
      { port: 9090, host: "greeter.example", path: "/helloworld.Greeter/SayHello" },
      "forward",
      ["50051||greeter"],
    ],
    ["delegates", { port: 8080, host: "www.example", path: "/api/delay/3" }, "forward", ["8000||httpbin"]],
    ["canary", { port: 8080, host: "shop.example" }, "forward", ["8000|stable|shop", "8000|canary|shop"]],
    ["route-actions", { port: 8080, host: "shop.example", path: "/api/x" }, "forward", ["8000||httpbin"]],
    ["route-actions", { port: 8080, host: "shop.example", path: "/x" }, "forward", ["8000||httpbin"]],
    ["upstream-tls", { port: 8080, host: "api.example", path: "/x" }, "forward", ["8443||internal"]],
    ["upstream-tls", { port: 8080, host: "api.example", path: "/partner" }, "forward", ["443||partner.example"]],
  ] as const)("%s leads %j to an endpoint (%s)", (name, question, action, expected) => {
    const { table, diagnostics } = compileExample(name);
    const answer = explain(table, {
      host: "",
      scheme: "http",
      sni: null,
      path: "/",
      method: "GET",
      headers: [],
      clientCertificate: null,
      ...question,
    });
    expect(answer).toMatchObject({ action, error: null });
    const names = answer.clusters.map((cluster) =>
      cluster.name.replace("outbound|", "").replace(/\.default\.svc.*/, ""),
    );
    expect(names).toEqual(expected);
    for (const step of answer.steps.filter(({ stage }) => stage === "cluster")) expect(step.result).toBe("matched");
    expect(diagnostics.filter(({ code }) => code !== "missing-certificate-file")).toEqual([]);
  });

  test("grpc is spoken to as HTTP/2, internal and partner over TLS", () => {
    expect(compileExample("grpc").table.clusters).toMatchObject([{ protocol: "http2", tls: null }]);
    expect(compileExample("upstream-tls").table.clusters).toMatchObject([
      {
        host: "partner.example",
        protocol: "http1",
        tls: { certificate: null, trustedCa: null, sni: "partner.example" },
      },
      { tls: { trustedCa: "file-root:/etc/istio/upstream/ca.crt", subjectAltNames: ["internal.example"] } },
    ]);
  });
});
