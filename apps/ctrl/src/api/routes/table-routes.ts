// Reading the running table: as Envoy would print it, and as an answer to "where would this request go".
import { explain } from "@sluice/core";
import { z } from "zod";
import { dialects, printers, resourceNames } from "../dump.ts";
import { type Question, questionSchema } from "../question.ts";
import { requireTable } from "../require-table.ts";
import { type Route, route } from "../route.ts";
import type { Services } from "../services.ts";

const dumpQuery = z.strictObject({
  dialect: z.enum(dialects).default("modern"),
  resource: z.enum(resourceNames).optional().describe("Only resources of this kind, as a list."),
  name: z.string().optional().describe("Only the one of this name."),
});

export function tableRoutes(services: Services): readonly Route[] {
  return [
    route<object, z.output<typeof dumpQuery>, unknown>({
      method: "GET",
      path: "/v1/config_dump",
      summary: "The running table in Envoy's shape",
      role: "read",
      query: dumpQuery,
      answers: { 200: { description: "Private keys are redacted.", schema: z.unknown() } },
      handle: ({ query: { dialect, resource, name } }) => {
        const { version, table } = requireTable(services);
        if (resource !== undefined) return printers[resource].dump(table, dialect, name);
        const dump = (one: keyof typeof printers) => printers[one].dump(table, dialect, name);
        return {
          version,
          listeners: dump("listener"),
          routes: dump("route"),
          clusters: dump("cluster"),
          endpoints: dump("endpoint"),
          secrets: dump("secret"),
        };
      },
    }),
    route<object, object, Question>({
      method: "POST",
      path: "/v1/explain",
      summary: "Where a request would go, and why",
      role: "read",
      body: questionSchema,
      answers: { 200: { description: "As `sluice explain -o json`.", schema: z.unknown() } },
      handle: ({ body }) => explain(requireTable(services).table, { ...body, nowMs: Date.now() }),
    }),
  ];
}
