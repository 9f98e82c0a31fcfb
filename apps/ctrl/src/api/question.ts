// The body of POST /v1/explain.
import type { Question } from "@sluice/core";
import { z } from "zod";
import { ProblemError } from "./problem.ts";

const headers = z.array(z.tuple([z.string(), z.string()]));

const questionSchema = z
  .strictObject({
    port: z.int().min(1).max(65_535),
    host: z.string().min(1),
    /** https when a server name is given, as `sluice explain` has it. */
    scheme: z.enum(["http", "https", "tcp"]).optional(),
    sni: z.string().nullable().default(null),
    path: z.string().default("/"),
    method: z.string().min(1).default("GET"),
    headers: z.union([headers, z.record(z.string(), z.string()).transform(Object.entries).pipe(headers)]).default([]),
    clientCertificate: z.string().nullable().default(null),
  })
  .transform((question) => ({ ...question, scheme: question.scheme ?? (question.sni === null ? "http" : "https") }));

/** @throws ProblemError 400 naming every field that is wrong */
export function parseQuestion(body: unknown): Question {
  const result = questionSchema.safeParse(body);
  if (result.success) return { ...result.data, nowMs: Date.now() };
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new ProblemError(400, problems.join("; "));
}
