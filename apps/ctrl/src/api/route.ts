// One endpoint: what it takes, who may call it, what it answers. Requests are checked by the very schemas that the documentation is made from.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Access, Caller, Role } from "./access/access.ts";
import { type ConfigurationBody, readConfigurationBody, readJsonBody } from "./body.ts";
import { ProblemError } from "./problem.ts";

/** Everything a handler gets; all of it was checked. */
export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** `configuration`: YAML or JSON documents; a schema: JSON. */
type BodyKind<Body> = "none" | "configuration" | z.ZodType<Body>;

export interface AnswerSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly mediaType?: string;
}

export interface RouteSpec<Params, Query, Body> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** In OpenAPI's form: `/v1/versions/{number}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Who may call it; `anyone`: also without credentials. */
  readonly role: Role | "anyone" | ((query: Query) => Role);
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /** Request headers, for the documentation. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyKind<Body>;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  handle(call: Call<Params, Query, Body>): unknown;
}

/** A route, its types forgotten. */
export interface Route extends Omit<
  RouteSpec<unknown, unknown, unknown>,
  "handle" | "role" | "params" | "query" | "body"
> {
  /** For the documentation. */
  readonly roleText: string;
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly body: "none" | "configuration" | z.ZodType;
  /** Asked before a byte of the body is read. @throws ProblemError 401 or 403 */
  authorize(request: FastifyRequest, access: Access): Promise<Caller>;
  run(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<unknown>;
}

const nothing = z.strictObject({});
const maxJsonBytes = 1024 * 1024;

/** Makes a route of its description. */
export function route<Params = object, Query = object, Body = ConfigurationBody>(
  spec: RouteSpec<Params, Query, Body>,
): Route {
  const { method, path, summary, description, headers, answers, role, params, query, body = "none" } = spec;
  const querySchema = query ?? (nothing as unknown as z.ZodType<Query>);
  return {
    method,
    path,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(headers === undefined ? {} : { headers }),
    answers,
    roleText: typeof role === "function" ? "write (read with dryRun)" : role,
    params: params ?? null,
    query: query ?? null,
    body,
    async authorize(request, access) {
      if (role === "anyone") return anybody;
      const caller = await access.identify(request.raw);
      requireRole(caller, typeof role === "function" ? role(check(querySchema, request.query, "query")) : role);
      return caller;
    },
    async run(request, reply, caller) {
      const call = {
        params: check(params ?? (nothing as unknown as z.ZodType<Params>), request.params, "path"),
        query: check(querySchema, request.query, "query"),
        body: readBody(body, request),
        caller,
        request,
        reply,
      };
      return await spec.handle(call);
    },
  };
}

/** Serves the routes. */
export function addRoutes(api: FastifyInstance, routes: readonly Route[], access: Access): void {
  const callers = new WeakMap<FastifyRequest, Caller>();
  for (const one of routes) {
    const url = one.path.replaceAll(/\{(\w+)\}/g, ":$1");
    // Configuration may be large; a question is not.
    const limit = typeof one.body === "object" ? { bodyLimit: maxJsonBytes } : {};
    const onRequest = async (request: FastifyRequest) => {
      callers.set(request, await one.authorize(request, access));
    };
    const handler = async (request: FastifyRequest, reply: FastifyReply) => {
      const caller = callers.get(request);
      if (caller === undefined) throw new ProblemError(401, "nobody asked who you are");
      return await one.run(request, reply, caller);
    };
    // A stream that lasts has no end that a HEAD could wait for.
    const exposeHeadRoute = !Object.values(one.answers).some(({ mediaType }) => mediaType === "text/event-stream");
    api.route({ method: one.method, url, ...limit, exposeHeadRoute, onRequest, handler });
  }
}

const anybody: Caller = { name: null, role: "read" };

function requireRole({ name, role }: Caller, wanted: Role): void {
  if (wanted === "write" && role !== "write") throw new ProblemError(403, `${name ?? "the caller"} may only read`);
}

function readBody<Body>(kind: BodyKind<Body>, request: FastifyRequest): Body {
  if (kind === "none") return undefined as Body;
  if (kind === "configuration") return readConfigurationBody(request) as Body;
  return check(kind, readJsonBody(request), "body");
}

/** @throws ProblemError 400 naming every field that is wrong */
function check<Value>(schema: z.ZodType<Value>, value: unknown, where: string): Value {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".") || where}: ${message}`);
  throw new ProblemError(400, problems.join("; "));
}
