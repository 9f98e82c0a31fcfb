// Changing what is stored: apply, put, delete, roll back.
import { describeDocument, hasErrors } from "@sluice/core/model";
import { z } from "zod";
import type { PushRead } from "../../compile/documents.ts";
import { checkPrecondition, type Plan, planApply, planDelete, planRestore } from "../../push/change.ts";
import { PushError } from "../../push/push-error.ts";
import type { VersionRecord } from "../../store/resource-store.ts";
import type { ConfigurationBody } from "../body.ts";
import { ProblemError } from "../problem.ts";
import {
  preconditionHeaders,
  pushHeaders,
  type PushQuery,
  pushQuery,
  refusePreconditions,
  requireSome,
  toPrecondition,
  toPushOptions,
} from "../push-options.ts";
import { resourceParams, type ResourceParams } from "../resource-params.ts";
import { type Call, type Route, route } from "../route.ts";
import { pushAnswerSchema } from "../schemas.ts";
import type { Services } from "../services.ts";

const defaultNamespace = "default";

const applyQuery = pushQuery.extend({
  namespace: z.string().min(1).default(defaultNamespace).describe("Of documents that name none."),
});

const rollbackBody = z.strictObject({
  to: z
    .union([z.int().min(0), z.string().min(1)])
    .optional()
    .describe("A version's number, or its digest. Default: the version before the running one that no edge refused."),
});

const answered = {
  description: "Stored, and answered for by the edges; or what it would do.",
  schema: pushAnswerSchema,
};
const pushAnswers = { 200: answered };
const roleOf = ({ dryRun }: PushQuery) => (dryRun ? ("read" as const) : ("write" as const));

export function pushRoutes(services: Services): readonly Route[] {
  return [applyRoute(services), putRoute(services), deleteRoute(services), rollbackRoute(services)];
}

function applyRoute(services: Services): Route {
  return route<object, z.output<typeof applyQuery>>({
    method: "POST",
    path: "/v1/apply",
    summary: "Write resources, all or none",
    description:
      "YAML or JSON, several documents or a List. A document with metadata.resourceVersion is written only over that version (else 409); one without is written whatever is there. Everything is compiled with the rest of the configuration before it is stored: any error is 422 and changes nothing. A version that a worker of an edge refuses is taken back everywhere: 409.",
    role: roleOf,
    query: applyQuery,
    headers: pushHeaders,
    body: "configuration",
    answers: pushAnswers,
    handle: async (call) => {
      refusePreconditions(call);
      const { resources } = await readBody(services, call.body, call.query.namespace);
      requireSome(resources);
      return await make(services, planApply(resources, call.body), call);
    },
  });
}

function putRoute(services: Services): Route {
  return route<ResourceParams, PushQuery>({
    method: "PUT",
    path: "/v1/resources/{kind}/{namespace}/{name}",
    summary: "Write one resource",
    role: roleOf,
    params: resourceParams,
    query: pushQuery,
    headers: { ...preconditionHeaders, ...pushHeaders },
    body: "configuration",
    answers: { ...pushAnswers, 201: { ...answered, description: "As 200; the resource is new." } },
    handle: async (call) => {
      const { params, body } = call;
      const precondition = toPrecondition(call);
      // Of many writers most fail here: before a thread reads their document, and again in the plan, when it counts.
      checkPrecondition(params, await services.store.read(), precondition);
      const { resources } = await readBody(services, body, params.namespace);
      requireSome(resources);
      const [resource, ...others] = resources;
      const { kind, namespace, name } = params;
      if (others.length > 0 || resource?.kind !== kind || resource.namespace !== namespace || resource.name !== name) {
        throw new ProblemError(400, `the body must be one document, ${kind} ${namespace}/${name}`);
      }
      const answer = await make(services, planApply([resource], body, precondition), call);
      const version = call.query.dryRun ? null : await writtenVersion(services, params, answer);
      if (version !== null) void call.reply.header("etag", `"${version}"`);
      const isNew = answer.changes.some(({ change }) => change === "added") && !call.query.dryRun;
      void call.reply.code(isNew ? 201 : 200);
      return answer;
    },
  });
}

function deleteRoute(services: Services): Route {
  return route<ResourceParams, PushQuery, unknown>({
    method: "DELETE",
    path: "/v1/resources/{kind}/{namespace}/{name}",
    summary: "Remove one resource",
    role: roleOf,
    params: resourceParams,
    query: pushQuery,
    headers: { ...preconditionHeaders, ...pushHeaders },
    answers: pushAnswers,
    handle: async (call) => await make(services, planDelete(call.params, toPrecondition(call)), call),
  });
}

function rollbackRoute(services: Services): Route {
  return route<object, PushQuery, z.output<typeof rollbackBody>>({
    method: "POST",
    path: "/v1/rollback",
    summary: "Make the stored resources what they were",
    description: "A rollback is a new version: nothing of the history is lost, and it can be rolled back itself.",
    role: roleOf,
    query: pushQuery,
    headers: pushHeaders,
    body: rollbackBody,
    answers: pushAnswers,
    handle: async (call) => {
      refusePreconditions(call);
      const versions = await services.store.versions();
      const number = findTarget(versions, call.body.to);
      const target = number === null ? null : await services.store.readAt(number);
      if (target === null)
        throw new PushError("not-found", `the history has no version ${call.body.to ?? "to go back to"}`);
      return await make(services, planRestore(target), call);
    },
  });
}

async function make(services: Services, plan: Plan, call: Call<unknown, PushQuery, unknown>) {
  if (call.query.dryRun) {
    const { isChanged: changed, ...preview } = await services.pusher.preview(plan);
    return { dryRun: true, changed, ...preview };
  }
  const { isChanged: changed, ...answer } = await services.pusher.push(plan, toPushOptions(call));
  return { dryRun: false, changed, ...answer };
}

/**
 * The resource's version as this push left it; null when somebody wrote it since. The version of what they wrote would let the caller
 * overwrite it unseen.
 */
async function writtenVersion(
  { store }: Services,
  key: ResourceParams,
  { changed, number }: { readonly changed: boolean; readonly number: number },
): Promise<number | null> {
  if (changed) return number;
  const version = (await store.read()).resources.get(describeDocument(key))?.resourceVersion ?? null;
  return version !== null && version <= number ? version : null;
}

/** @throws PushError 422 when it cannot be read */
async function readBody({ compiler }: Services, body: ConfigurationBody, namespace: string): Promise<PushRead> {
  const read = await compiler.readPush(body, namespace);
  if (!hasErrors(read.diagnostics)) return read;
  throw new PushError("invalid", "the body has errors; nothing was stored", { diagnostics: read.diagnostics });
}

/** Newest first. Null when there is none. */
function findTarget(versions: readonly VersionRecord[], to: number | string | undefined): number | null {
  if (typeof to === "number") return to;
  if (to !== undefined) return versions.find(({ digest }) => digest === to)?.number ?? null;
  const [current, ...earlier] = versions;
  const refused = new Set(versions.flatMap((version) => version.refused));
  const isCandidate = ({ number, digest }: VersionRecord) => !refused.has(number) && digest !== current?.digest;
  return earlier.find(isCandidate)?.number ?? null;
}
