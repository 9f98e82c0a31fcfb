// The shapes of the API, said once: requests are checked by them, and openapi.json and the reference are made from them.
import { z } from "zod";

const time = z.string().describe("RFC 3339.");

export const diagnosticSchema = z
  .object({
    severity: z.enum(["error", "warning"]),
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    file: z.string().describe("`body` for what was sent, `stored/Kind/namespace/name` for what was pushed before."),
    line: z.int(),
    column: z.int(),
    path: z.string(),
    resource: z.string(),
  })
  .describe("A finding about configuration.");

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    failure: z.string().optional().describe("Which of the push failures it is."),
    diagnostics: z.array(diagnosticSchema).optional(),
  })
  .describe("RFC 9457.");

const changeKind = z.enum(["added", "changed", "removed"]);
const resourceKey = { kind: z.string(), namespace: z.string(), name: z.string() };
export const changeSchema = z.object({ change: changeKind, ...resourceKey });

const document = z.record(z.string(), z.unknown()).describe("The whole document; values of Secrets are `[redacted]`.");

const edgeConvergence = z.object({
  id: z.string(),
  state: z.enum(["serving", "pending", "refused"]),
  version: z.string().nullable(),
  workers: z.array(z.object({ worker: z.int(), appliedMs: z.number().nullable() })),
});

export const convergenceSchema = z.object({
  state: z
    .enum(["converged", "pending", "no-edges"])
    .describe("`pending`: not every connected edge serves it yet; `no-edges`: none is connected to this ctrl."),
  waitedMs: z.number(),
  edges: z.array(edgeConvergence),
});

const named = z.object({ change: changeKind, name: z.string() });

export const differenceSchema = z.object({
  listeners: z.array(named),
  hosts: z.array(
    named.extend({
      routeConfig: z.string(),
      domains: z.array(z.string()),
      routes: z.array(z.object({ change: z.enum(["added", "removed"]), route: z.string() })),
    }),
  ),
  clusters: z.array(named),
  secrets: z.array(named),
  omitted: z.int().describe("Entries left out of the lists, which are bounded."),
});

export const pushAnswerSchema = z.object({
  number: z.int().describe("The stored version: the one made, or the latest where nothing changed."),
  version: z.string().describe("Of the table: its digest."),
  dryRun: z.boolean(),
  changed: z.boolean(),
  changes: z.array(changeSchema),
  diagnostics: z.array(diagnosticSchema).describe("Warnings about what was sent, and others that are new."),
  convergence: convergenceSchema.optional().describe("Not of a dry run."),
  difference: differenceSchema.optional().describe("Of a dry run: what it would do to the running table."),
});

export const resourceEntrySchema = z.object({
  ...resourceKey,
  source: z.enum(["store", "file"]),
  file: z.string().nullable().describe("`path:line` where a file declares it."),
  resourceVersion: z.string().nullable().describe("Of what is stored; null where a file declares it alone."),
  shadowed: z.boolean().describe("It is stored too, and the file's is used."),
  resource: document,
});

export const resourceListSchema = z.object({
  number: z.int().describe("The stored version that was listed."),
  resources: z.array(resourceEntrySchema),
});

export const documentSchema = document;

export const versionSchema = z.object({
  number: z.int().nullable().describe("Of the stored version; null where the directory alone made the table."),
  version: z.string().describe("Of the table: its digest."),
  since: time,
  author: z.string().nullable(),
  reason: z.string(),
  source: z.string(),
  state: z.enum(["current", "superseded", "refused"]),
  refusal: z.string().describe("Which edge refused it and why; empty when none did."),
  restores: z.int().nullable().describe("The version whose resources it put back."),
  refused: z.array(z.int()).describe("The versions it took back because an edge refused them."),
  summary: z.object({ added: z.int(), changed: z.int(), removed: z.int() }),
  changes: z.array(changeSchema).describe("The first 20."),
  errors: z.int().nullable(),
  warnings: z.int().nullable(),
});

export const versionDetailsSchema = z.object({
  number: z.int(),
  version: z.string(),
  since: time,
  author: z.string(),
  reason: z.string(),
  restores: z.int().nullable(),
  refused: z.array(z.int()),
  changes: z.array(changeSchema.extend({ before: document.nullable(), after: document.nullable() })),
});

const worker = z.looseObject({
  worker: z.int(),
  pid: z.int(),
  version: z.string().nullable(),
  since: time,
  appliedMs: z.number().nullable(),
});

export const statusSchema = z.object({
  version: z.string().nullable().describe("Of the running table: its digest."),
  since: time.nullable(),
  source: z.string(),
  number: z.int().describe("The latest stored version."),
  lastAttempt: z
    .object({
      at: time,
      ok: z.boolean(),
      outcome: z.enum(["published", "repeat", "invalid", "withheld"]),
      origin: z.enum(["directory", "push", "store", "rollback"]),
      version: z.string().nullable(),
      diagnostics: z.array(diagnosticSchema),
    })
    .nullable(),
  edges: z.array(
    z.looseObject({
      id: z.string(),
      version: z.string().nullable(),
      pending: z.string().nullable(),
      workers: z.array(worker),
      nack: z.looseObject({ version: z.string(), worker: z.int().nullable(), reason: z.string(), at: time }).nullable(),
    }),
  ),
  convergence: convergenceSchema.nullable().describe("Of the running table; null while there is none."),
  store: z.object({ kind: z.string(), problem: z.string().nullable(), resources: z.int() }),
  rollback: z
    .object({ number: z.int(), at: time, refused: z.array(z.int()), reason: z.string() })
    .nullable()
    .describe("The last version by which pushes were taken back because an edge refused them."),
  certificates: z
    .array(
      z.object({
        name: z.string().describe("The secret's name, or the setting that names the certificate."),
        kind: z.string(),
        notAfter: time,
        daysLeft: z.number(),
        stage: z.string().describe("`fine`, `soon`, `urgent` or `expired`."),
      }),
    )
    .describe("Nearest end first."),
  pid: z.int(),
});
