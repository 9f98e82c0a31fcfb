// The forms of a request target (RFC 9112, 3.2) and what each says about where the request goes.
import type { FailureCode } from "../../exchange/failure.ts";
import { isAuthority } from "../authority.ts";

export interface Destination {
  /** Origin form. */
  readonly target: string;
  readonly authority: string;
}

/** @param host the Host header, which an absolute target overrules */
export function readRequestTarget(method: string, target: string, host: string): Destination | FailureCode {
  if (method === "CONNECT") return "not_implemented";
  if (target.startsWith("/")) return { target, authority: host };
  if (target === "*") return method === "OPTIONS" ? { target, authority: host } : "bad_request";
  return readAbsolute(target);
}

function readAbsolute(target: string): Destination | FailureCode {
  const scheme = /^https?:\/\//i.exec(target)?.[0];
  if (scheme === undefined) return "bad_request";
  const rest = target.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  if (!isAuthority(authority)) return "bad_request";
  const origin = end < 0 ? "/" : rest.slice(end);
  return { target: origin.startsWith("/") ? origin : `/${origin}`, authority };
}
