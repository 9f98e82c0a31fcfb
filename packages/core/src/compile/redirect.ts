// Redirects of a VirtualService (istio-semantics 2.5, ApplyRedirect).
import type { HttpRedirect, RedirectAction } from "../model/index.ts";

const defaultStatus = 301;

/** The Gateway server that a redirect is built for. */
export interface RedirectScope {
  readonly port: number;
  readonly isTls: boolean;
}

/** Empty texts ask for nothing, as in protobuf. */
export function buildRedirect(redirect: HttpRedirect, scope: RedirectScope): RedirectAction {
  return {
    kind: "redirect",
    status: redirect.redirectCode === undefined || redirect.redirectCode === 0 ? defaultStatus : redirect.redirectCode,
    scheme: redirect.scheme ?? null,
    host: redirect.authority === "" ? null : (redirect.authority ?? null),
    port: redirectPort(redirect, scope),
    path: redirectPath(redirect),
  };
}

function redirectPath({ uri = "", prefixRewrite = "" }: HttpRedirect): RedirectAction["path"] {
  if (prefixRewrite !== "") return { kind: "prefix", value: prefixRewrite };
  return uri === "" ? null : { kind: "full", value: uri };
}

// FROM_REQUEST_PORT means the Gateway server's port: the one that clients name, which behind a Service is not the one that is bound. A
// port that the scheme implies anyway is left out; without a scheme it is the connection's.
function redirectPort(
  { port: explicitPort, derivePort, scheme }: HttpRedirect,
  { port: serverPort, isTls }: RedirectScope,
): number | null {
  const port = derivePort === "FROM_REQUEST_PORT" ? serverPort : (explicitPort ?? 0);
  const impliedPort = (scheme ?? (isTls ? "https" : "http")) === "https" ? 443 : 80;
  return port === 0 || port === impliedPort ? null : port;
}
