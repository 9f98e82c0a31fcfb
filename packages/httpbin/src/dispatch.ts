// The route table: the first path segment picks a route, what follows it is the route's parameter. Also where every failure
// becomes an answer.
import { drainBody, sendJson } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { RequestError } from "./request-error.ts";
import { answerAnything, answerDelay, answerHeaders } from "./routes/describe.ts";
import { answerFault } from "./routes/fault.ts";
import { answerResponseHeaders } from "./routes/response-headers.ts";
import { answerStatus } from "./routes/status.ts";
import { answerBytes, answerSse, answerStream } from "./routes/stream.ts";
import { answerUpload } from "./routes/upload.ts";

interface Route {
  readonly answer: (exchange: Exchange, parameter: string) => void | Promise<void>;
  /** "none": `/get` only. "one": `/status/418`. "rest": `/anything`, `/anything/at/all`. */
  readonly parameter: "none" | "one" | "rest";
  /** All methods when absent. */
  readonly methods?: readonly string[];
  /** The route deals with the request body itself; for the others it is drained. */
  readonly ownsBody?: true;
}

const routes = new Map<string, Route>([
  ["status", { answer: answerStatus, parameter: "one" }],
  ["delay", { answer: answerDelay, parameter: "one", ownsBody: true }],
  ["headers", { answer: answerHeaders, parameter: "none" }],
  ["get", { answer: answerAnything, parameter: "none", methods: ["GET", "HEAD"], ownsBody: true }],
  ["post", { answer: answerAnything, parameter: "none", methods: ["POST"], ownsBody: true }],
  ["put", { answer: answerAnything, parameter: "none", methods: ["PUT"], ownsBody: true }],
  ["patch", { answer: answerAnything, parameter: "none", methods: ["PATCH"], ownsBody: true }],
  ["delete", { answer: answerAnything, parameter: "none", methods: ["DELETE"], ownsBody: true }],
  ["anything", { answer: answerAnything, parameter: "rest", ownsBody: true }],
  ["bytes", { answer: answerBytes, parameter: "one" }],
  ["stream", { answer: answerStream, parameter: "one" }],
  ["sse", { answer: answerSse, parameter: "none" }],
  ["upload", { answer: answerUpload, parameter: "none", methods: ["POST", "PUT"], ownsBody: true }],
  ["response-headers", { answer: answerResponseHeaders, parameter: "none" }],
  ["fault", { answer: answerFault, parameter: "one", ownsBody: true }],
]);

/** Answers one exchange, whatever happens. Never rejects. */
export async function dispatch(exchange: Exchange): Promise<void> {
  const { response } = exchange;
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-allow-credentials", "true");
  try {
    await route(exchange);
  } catch (error) {
    answerFailure(exchange, error);
  }
}

function route(exchange: Exchange): void | Promise<void> {
  const { path, request } = exchange;
  const slash = path.indexOf("/", 1);
  const segment = slash === -1 ? path.slice(1) : path.slice(1, slash);
  const parameter = slash === -1 ? "" : path.slice(slash + 1);
  const found = routes.get(segment);
  if (found?.ownsBody !== true) drainBody(exchange);
  if (found === undefined || !fits(found, slash, parameter)) throw new RequestError(404, `no route for ${path}`);
  if (found.methods !== undefined && !found.methods.includes(request.method ?? "")) {
    throw new RequestError(405, `use ${found.methods.join(" or ")}`, { allow: found.methods.join(", ") });
  }
  return found.answer(exchange, parameter);
}

function fits(found: Route, slash: number, parameter: string): boolean {
  switch (found.parameter) {
    case "none":
      return slash === -1;
    case "one":
      return slash !== -1 && !parameter.includes("/");
    case "rest":
      return true;
  }
}

function answerFailure(exchange: Exchange, error: unknown): void {
  const { request, response } = exchange;
  // Nobody to tell: the client left (which is how a waiting route is interrupted), or half of an answer is out already.
  if (response.destroyed || response.headersSent || request.socket.destroyed) {
    request.socket.destroy();
    return;
  }
  const refusal = error instanceof RequestError ? error : new RequestError(500, String(error));
  sendJson(
    exchange,
    { error: { status: refusal.status, message: refusal.message } },
    { status: refusal.status, headers: refusal.headers },
  );
}
