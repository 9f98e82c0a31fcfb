// The control plane's HTTP API: what is live, and why requests go where they go. Reading only in this release.
import type { AddressInfo } from "node:net";
import { explain } from "@sluice/core";
import type { Table } from "@sluice/core/model";
import { isLoopback, isLoopbackAuthority, parseAddress, toHttpUrl } from "@sluice/core/settings";
import { fastify, type FastifyInstance } from "fastify";
import { z } from "zod";
import { LiveTable } from "../store/live-table.ts";
import type { VersionStore } from "../store/versions.ts";
import { dialects, printers, resourceNames } from "./dump.ts";
import { ProblemError, sendProblem } from "./problem.ts";
import { parseQuestion } from "./question.ts";
import { type ControlPlaneState, reportStatus, reportVersions } from "./status.ts";

const maxBodyBytes = 1024 * 1024;
const requestTimeoutMs = 30_000;

export interface ApiOptions extends ControlPlaneState {
  /** Errors that are bugs. */
  onError(error: unknown): void;
}

/** The API, not listening yet. */
export function createApi(options: ApiOptions): FastifyInstance {
  const live = new LiveTable(options.store);
  const api = fastify({ bodyLimit: maxBodyBytes, requestTimeout: requestTimeoutMs, forceCloseConnections: true });
  api.addHook("onRequest", async (request) => {
    if (!isLoopbackAuthority(request.headers.host))
      throw new ProblemError(403, "the Host header must be a loopback address");
  });
  api.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new ProblemError(404, `there is no ${request.method} ${request.url}`)),
  );
  api.setErrorHandler((error, _request, reply) => {
    const answer = sendProblem(reply, error);
    if (reply.statusCode >= 500 && !(error instanceof ProblemError)) options.onError(error);
    return answer;
  });
  api.get("/healthz/live", () => ({ status: "live" }));
  api.get("/healthz/ready", () => ({ status: "ready", version: requireTable(options.store, live).version }));
  api.get("/v1/status", () => reportStatus(options));
  api.get("/v1/versions", () => reportVersions(options.store.history));
  addTableRoutes(api, options.store, live);
  return api;
}

/**
 * Listens, and returns the URL.
 *
 * @throws Error when the address is not a loopback address, or cannot be bound
 */
export async function listenApi(api: FastifyInstance, address: string): Promise<string> {
  const { host, port } = parseAddress(address);
  if (!isLoopback(host)) {
    throw new Error(
      `ctrl.address ${address}: the API has no authentication in this release and serves loopback addresses only`,
    );
  }
  await api.listen({ host, port });
  const bound = api.server.address() as AddressInfo;
  return toHttpUrl(bound.address, bound.port);
}

function addTableRoutes(api: FastifyInstance, store: VersionStore, live: LiveTable): void {
  api.get("/v1/config_dump", (request) => {
    const { dialect, resource, name } = parseDumpQuery(request.query);
    const { version, table } = requireTable(store, live);
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
  });
  api.post("/v1/explain", (request) => {
    const question = parseQuestion(request.body);
    return explain(requireTable(store, live).table, question);
  });
}

const dumpQuery = z.strictObject({
  dialect: z.enum(dialects).default("modern"),
  resource: z.enum(resourceNames).optional(),
  name: z.string().optional(),
});

function parseDumpQuery(query: unknown): z.output<typeof dumpQuery> {
  const result = dumpQuery.safeParse(query);
  if (result.success) return result.data;
  throw new ProblemError(
    400,
    result.error.issues.map(({ path, message }) => `${path.join(".") || "query"}: ${message}`).join("; "),
  );
}

function requireTable(store: VersionStore, live: LiveTable): { readonly version: string; readonly table: Table } {
  const current = live.read();
  if (current !== null) return current;
  const diagnostics = store.lastAttempt?.diagnostics;
  throw new ProblemError(503, store.whyNothing ?? "no configuration was compiled yet", diagnostics);
}
