// About the API itself: whether it lives, and its description.
import { z } from "zod";
import { requireTable } from "../require-table.ts";
import { type Route, route } from "../route.ts";
import type { Services } from "../services.ts";

export function healthRoutes(services: Services): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/healthz/live",
      summary: "The process answers",
      role: "anyone",
      answers: { 200: { description: "It does.", schema: z.object({ status: z.literal("live") }) } },
      handle: () => ({ status: "live" }),
    }),
    route({
      method: "GET",
      path: "/healthz/ready",
      summary: "There is a table to publish",
      role: "anyone",
      answers: {
        200: { description: "There is.", schema: z.object({ status: z.literal("ready"), version: z.string() }) },
      },
      handle: () => ({ status: "ready", version: requireTable(services).version }),
    }),
  ];
}

/** @param describe made when first asked for */
export function openApiRoute(describe: () => object): Route {
  let document: object | null = null;
  return route({
    method: "GET",
    path: "/v1/openapi.json",
    summary: "This description",
    role: "anyone",
    answers: { 200: { description: "OpenAPI 3.1.", schema: z.record(z.string(), z.unknown()) } },
    handle: () => (document ??= describe()),
  });
}
