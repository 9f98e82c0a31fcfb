// The history, and what runs now.
import { z } from "zod";
import { redactSecrets } from "../../compile/redaction.ts";
import { PushError } from "../../push/push-error.ts";
import type { ChangeTexts } from "../../store/resource-store.ts";
import { type Route, route } from "../route.ts";
import { statusSchema, versionDetailsSchema, versionSchema } from "../schemas.ts";
import type { Services } from "../services.ts";
import { reportStatus, toTime } from "../status.ts";
import { listVersions } from "../version-list.ts";

const versionParams = z.strictObject({ number: z.coerce.number().int().min(1) });

export function versionRoutes(services: Services): readonly Route[] {
  const { store, tables } = services;
  return [
    route({
      method: "GET",
      path: "/v1/status",
      summary: "What is live where, since when, and what the last attempt said",
      role: "read",
      answers: { 200: { description: "The status.", schema: statusSchema } },
      handle: async () => await reportStatus(services),
    }),
    route({
      method: "GET",
      path: "/v1/versions",
      summary: "The history, newest first",
      role: "read",
      answers: {
        200: {
          description: "Stored versions, and the tables that the directory alone made since ctrl started.",
          schema: z.array(versionSchema),
        },
      },
      handle: async () => listVersions(await store.versions(), tables.history),
    }),
    route<z.output<typeof versionParams>, object, unknown>({
      method: "GET",
      path: "/v1/versions/{number}",
      summary: "One stored version, with each resource before and after it",
      role: "read",
      params: versionParams,
      answers: { 200: { description: "The version.", schema: versionDetailsSchema } },
      handle: async ({ params }) => {
        const version = await store.version(params.number);
        if (version === null) throw new PushError("not-found", `the history has no version ${params.number}`);
        const { number, atMs, author, reason, digest, restores, refused, changes } = version;
        const since = toTime(atMs);
        return {
          number,
          version: digest,
          since,
          author,
          reason,
          restores,
          refused,
          changes: changes.map(redactChange),
        };
      },
    }),
  ];
}

function redactChange({ before, after, ...change }: ChangeTexts) {
  return { ...change, before: redactText(before), after: redactText(after) };
}

function redactText(text: string | null) {
  return text === null ? null : redactSecrets(JSON.parse(text) as Record<string, unknown>);
}
