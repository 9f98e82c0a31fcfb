import { expect, test } from "vitest";
import { compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import { buildResources } from "./build-resources.ts";

const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
`;

function virtualService(name: string, spec: unknown): string {
  return `---\n${JSON.stringify({ apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: { name }, spec })}\n`;
}

test("a rule whose delegate would make millions of routes is left out whole, and the others serve", () => {
  const paths = Array.from({ length: 2000 }, (_, index) => ({ uri: { prefix: `/huge/${index}/` } }));
  const headers = Array.from({ length: 2000 }, (_, index) => ({ headers: { x: { exact: String(index) } } }));
  const answer = { directResponse: { status: 200 } };
  const http = [{ match: paths, delegate: { name: "wide" } }, answer];
  const texts = [
    gateway,
    virtualService("root", { hosts: ["a.example"], gateways: ["web"], http }),
    virtualService("wide", {
      http: [
        { match: headers.slice(0, 1), ...answer },
        { match: headers, ...answer },
      ],
    }),
  ];
  const { table, diagnostics } = compileTable(buildResources(texts.join("")), defaultCompileOptions);
  expect(table.routeConfigs[0]?.virtualHosts[0]?.routes).toHaveLength(1);
  expect(diagnostics.map(({ code, path }) => [code, path])).toEqual([["delegate-too-large", "spec.http[0].delegate"]]);
});
