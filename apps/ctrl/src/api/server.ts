// The control plane's HTTP API: pushes, what is live, and why requests go where they go.
import type { AddressInfo } from "node:net";
import { parseAddress, type Settings, toHttpUrl } from "@sluice/core/settings";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { Access } from "./access/access.ts";
import { accessProblem } from "./access/access-settings.ts";
import { followServerCredentials, readServerCredentials } from "./access/server-certificate.ts";
import { Tokens } from "./access/tokens.ts";
import { acceptBodies } from "./body.ts";
import { ProblemError, sendParseProblem, sendProblem } from "./problem.ts";
import { maxNameCharacters } from "./resource-params.ts";
import { addRoutes } from "./route.ts";
import { allRoutes } from "./routes/all-routes.ts";
import type { Services } from "./services.ts";

const requestTimeoutMs = 30_000;
/** Each may hold a body of `maxBodyBytes`, and a push waits its turn. */
const maxConnections = 512;

export interface ApiOptions {
  readonly settings: Settings["ctrl"];
  readonly services: Services;
  /** Of the product. */
  readonly version: string;
  /** Errors that are bugs. */
  onError(error: unknown): void;
  /** What an operator should know of: a token file or a certificate that cannot be read any more. */
  onWarning(message: string): void;
}

/**
 * The API, not listening yet.
 *
 * @throws Error that names the setting, when the API would be open to other machines or a file of its settings cannot be used
 */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const { settings, services, version } = options;
  const onWarning = (message: string) => options.onWarning(message);
  const problem = accessProblem(settings);
  if (problem !== null) throw new Error(problem);
  const access = new Access(settings, await Tokens.load(settings.tokens, onWarning));
  const api = await createServer(settings, onWarning);
  acceptBodies(api);
  api.addHook("onRequest", async (request) => access.refuseForeign(request.raw));
  api.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new ProblemError(404, `there is no ${request.method} ${request.url}`)),
  );
  api.setErrorHandler((error, _request, reply) => {
    const answer = sendProblem(reply, error);
    if (reply.statusCode === 500) options.onError(error);
    return answer;
  });
  addRoutes(api, allRoutes(services, version), access);
  return api;
}

/** Listens, and returns the URL. @throws Error when the address cannot be bound */
export async function listenApi(api: FastifyInstance, { address, tls }: Settings["ctrl"]): Promise<string> {
  const { host, port } = parseAddress(address);
  api.server.maxConnections = maxConnections;
  await api.listen({ host, port });
  const bound = api.server.address() as AddressInfo;
  const url = toHttpUrl(bound.address, bound.port);
  return tls === undefined ? url : url.replace(/^http:/, "https:");
}

async function createServer(
  { maxBodyBytes, tls, tokens }: Settings["ctrl"],
  onWarning: ApiOptions["onWarning"],
): Promise<FastifyInstance> {
  const common = {
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: maxNameCharacters },
    // What fastify refuses before any handler of ours would see it.
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => void sendProblem(reply, error),
    clientErrorHandler: sendParseProblem,
  } as const;
  if (tls === undefined) return fastify(common);
  const credentials = await readServerCredentials(tls);
  const clients = {
    requestCert: tls.clientCa !== undefined,
    // With tokens a client may do without; who it is, is then asked request by request.
    rejectUnauthorized: tls.clientCa !== undefined && tokens.length === 0,
  };
  const api = fastify({ ...common, https: { ...credentials, ...clients, minVersion: "TLSv1.2" } });
  const end = followServerCredentials(api.server, tls, onWarning);
  api.addHook("onClose", async () => end());
  return api;
}
