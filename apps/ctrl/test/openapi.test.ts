// The description of the API, held against what the API answers.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { plainGateway } from "./support/configurations.ts";
import { FakeEdge } from "./support/fake-edge.ts";
import { RunningPlane } from "./support/running-plane.ts";

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

describe("openapi.json", () => {
  it("names every endpoint of the contract", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) });
    const { openapi, paths } = (await plane.get("/v1/openapi.json")).body as OpenApi;
    expect(openapi).toBe("3.1.0");
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.toSorted()).toEqual([
      "DELETE /v1/resources/{kind}/{namespace}/{name}",
      "GET /healthz/live",
      "GET /healthz/ready",
      "GET /v1/config_dump",
      "GET /v1/events",
      "GET /v1/openapi.json",
      "GET /v1/resources",
      "GET /v1/resources/{kind}/{namespace}/{name}",
      "GET /v1/status",
      "GET /v1/versions",
      "GET /v1/versions/{number}",
      "POST /v1/apply",
      "POST /v1/explain",
      "POST /v1/rollback",
      "PUT /v1/resources/{kind}/{namespace}/{name}",
    ]);
  });

  it("describes what is answered: every answer has the shape that it promises, and no more fields", async () => {
    await using plane = await RunningPlane.start({ "a.yaml": plainGateway(8080) });
    using edge = await FakeEdge.greet(plane.socketPath, "edge-1");
    const { version } = await edge.accept();
    edge.say({ type: "status", workers: [{ worker: 1, pid: 10, version, sinceMs: 0, appliedMs: 5 }], listeners: [] });
    const { paths } = (await plane.get("/v1/openapi.json")).body as OpenApi;
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { x: y }\n";
    const yaml = { headers: { "content-type": "application/yaml" }, body: text };
    const one = "/v1/resources/{kind}/{namespace}/{name}";
    const real = "/v1/resources/ConfigMap/default/a";
    const json = { headers: { "content-type": "application/json" }, body: "{}" };
    const calls: [method: string, template: string, path: string, init?: RequestInit][] = [
      ["POST", "/v1/apply", "/v1/apply?dryRun=true", yaml],
      ["PUT", one, real, yaml],
      ["GET", one, real],
      ["GET", "/v1/resources", "/v1/resources"],
      ["GET", "/v1/versions", "/v1/versions"],
      ["GET", "/v1/versions/{number}", "/v1/versions/1"],
      ["GET", "/v1/status", "/v1/status"],
      ["DELETE", one, real],
      ["POST", "/v1/rollback", "/v1/rollback", json],
      ["GET", "/v1/versions/{number}", "/v1/versions/99"],
      ["POST", "/v1/apply", "/v1/apply", { ...yaml, body: "kind: [" }],
      ["GET", "/healthz/ready", "/healthz/ready"],
    ];
    for (const [method, template, path, init] of calls) {
      const { status, type, body } = await plane.fetch(path, { method, ...init });
      const operation = paths[template]?.[method.toLowerCase()];
      const answer = operation?.responses[String(status)] ?? operation?.responses["default"];
      const media = answer?.content[type?.split(";")[0] ?? ""];
      expect(media, `${method} ${path} answered ${status} ${type}`).toBeDefined();
      const schema = inPlace(media?.schema ?? {}, (await plane.get("/v1/openapi.json")).body as object);
      const { error } = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(body);
      expect(error?.issues ?? [], `${method} ${path}`).toEqual([]);
    }
  });
});

/** The one reference that the document makes. */
function inPlace(schema: object, document: object): object {
  if (!("$ref" in schema)) return schema;
  return (document as { components: { schemas: { Problem: object } } }).components.schemas.Problem;
}
