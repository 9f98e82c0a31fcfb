// The API's description, OpenAPI 3.1, made from the routes themselves.
import { z } from "zod";
import { configurationTypes } from "./body.ts";
import type { AnswerSpec, Route } from "./route.ts";
import { problemSchema } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

/** @param version of the product */
export function describeApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const one of routes) (paths[one.path] ??= {})[one.method.toLowerCase()] = describeRoute(one);
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice control API",
      version,
      description: "Times are RFC 3339. Every error is application/problem+json.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ bearer: [] }, { certificate: [] }, {}],
    paths,
    components: {
      schemas: { Problem: toSchema(problemSchema, "output") },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A token of ctrl.tokens." },
        certificate: { type: "mutualTLS", description: "A certificate of ctrl.tls.clients." },
      },
    },
  };
}

function describeRoute(one: Route): Json {
  const answers = Object.entries(one.answers).map(([status, answer]) => [status, describeAnswer(answer)]);
  const problem = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  return {
    summary: one.summary,
    ...(one.description === undefined ? {} : { description: one.description }),
    "x-role": one.roleText,
    parameters: [...parametersOf(one.params, "path"), ...parametersOf(one.query, "query"), ...headersOf(one)],
    ...(one.body === "none" ? {} : { requestBody: { required: true, content: describeBody(one.body) } }),
    responses: { ...Object.fromEntries(answers), default: { description: "A problem.", content: problem } },
  };
}

function describeAnswer({ description, schema, mediaType = "application/json" }: AnswerSpec): Json {
  const content = schema === undefined ? {} : { schema: toSchema(schema, "output") };
  return { description, content: { [mediaType]: content } };
}

function describeBody(body: Exclude<Route["body"], "none">): Json {
  if (body !== "configuration") return { "application/json": { schema: toSchema(body, "input") } };
  return Object.fromEntries(configurationTypes.map((type) => [type, { schema: { type: "string" } }]));
}

function parametersOf(schema: z.ZodType | null, where: "path" | "query"): Json[] {
  if (schema === null) return [];
  const { properties = {}, required = [] } = toSchema(schema, "input") as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property;
    const isRequired = where === "path" || required.includes(name);
    return {
      name,
      in: where,
      required: isRequired,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function headersOf({ headers = {} }: Route): Json[] {
  return Object.entries(headers).map(([name, description]) => {
    return { name, in: "header", required: false, description, schema: { type: "string" } };
  });
}

function toSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
