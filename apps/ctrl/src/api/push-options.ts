// What every push may be told beside its body: why, how long to wait, only to try; and who made it.
import { z } from "zod";
import { PushError } from "../push/push-error.ts";
import type { PushOptions } from "../push/pusher.ts";
import { type Precondition } from "../push/change.ts";
import { ProblemError } from "./problem.ts";
import type { Call } from "./route.ts";

const defaultWaitSeconds = 10;
const maxWaitSeconds = 60;

const flag = z.enum(["true", "false"]).transform((text) => text === "true");

const reason = z
  .string()
  .max(1000)
  .regex(/^\P{Cc}*$/u, { error: "must have no control characters" })
  .default("")
  .describe("Why, for the history.");

const wait = z.coerce
  .number()
  .min(0)
  .max(maxWaitSeconds)
  .default(defaultWaitSeconds)
  .describe("Seconds the answer waits for every connected edge to serve the version; 0: not at all.");

export const pushQuery = z.strictObject({
  dryRun: flag.default(false).describe("`true`: compile and compare, store nothing."),
  wait,
  reason,
});

export type PushQuery = z.output<typeof pushQuery>;

export const authorHeader = "x-sluice-author";
const author = /^[^\p{Cc}]{1,200}$/u;
/** Who it was where nobody is asked. */
const localAuthor = "local";

export const pushHeaders = {
  [authorHeader]: "Who pushes, for the history; with credentials it is told beside their name.",
};

/** @throws ProblemError 400 for an author that would spoil the history */
export function toPushOptions({ query, caller, request }: Call<unknown, PushQuery, unknown>): PushOptions {
  const given = request.headers[authorHeader];
  if (given !== undefined && (Array.isArray(given) || !author.test(given))) {
    throw new ProblemError(400, `${authorHeader}: must be 1 to 200 characters`);
  }
  const name = caller.name ?? given ?? localAuthor;
  // What somebody says of themselves never hides whose credentials they had.
  const isBoth = caller.name !== null && given !== undefined && given !== caller.name;
  return { author: isBoth ? `${given} (${caller.name})` : name, reason: query.reason, waitMs: query.wait * 1000 };
}

export const preconditionHeaders = {
  "if-match": "The resource's version in quotes (its ETag), or `*`: otherwise 412.",
  "if-none-match": "`*`: only when the resource does not exist, otherwise 412.",
};

/** @throws ProblemError 400 for what is none of the forms */
export function toPrecondition({ request }: Call<unknown, unknown, unknown>): Precondition {
  const { "if-match": match, "if-none-match": noneMatch } = request.headers;
  if (noneMatch !== undefined && noneMatch.trim() !== "*") throw new ProblemError(400, "if-none-match: must be *");
  return { matches: match === undefined ? null : parseMatch(match), isAbsent: noneMatch !== undefined };
}

/** Of a push of several resources they would be about none of them; unread, they would promise what is not kept. @throws ProblemError 400 */
export function refusePreconditions({ request }: Call<unknown, unknown, unknown>): void {
  const name = ["if-match", "if-none-match"].find((header) => request.headers[header] !== undefined);
  if (name === undefined) return;
  throw new ProblemError(400, `${name}: is for one resource; give metadata.resourceVersion in the documents`);
}

function parseMatch(header: string): readonly number[] | "any" {
  if (header.trim() === "*") return "any";
  return header.split(",").map((tag) => {
    const [, number] = /^\s*"(\d{1,15})"\s*$/.exec(tag) ?? [];
    if (number === undefined) throw new ProblemError(400, 'if-match: must be a version in quotes, such as "12", or *');
    return Number(number);
  });
}

/** `empty` where there is nothing that could be pushed. */
export function requireSome(resources: readonly unknown[]): void {
  if (resources.length === 0) throw new PushError("empty", "the body holds no resource of a kind that Sluice reads");
}
