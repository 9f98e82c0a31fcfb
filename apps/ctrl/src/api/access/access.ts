// Who may do what. Without tokens and client CA everybody who reaches the address may do everything, so it must be loopback then, and the
// Host header must say so too.
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { isLoopbackAuthority } from "@sluice/core/settings";
import { ProblemError } from "../problem.ts";
import { type CtrlSettings, isGuarded } from "./access-settings.ts";
import { identifyCertificate } from "./client-certificate.ts";
import type { Tokens } from "./tokens.ts";

export type Role = "read" | "write";

export interface Caller {
  /** Of the token or certificate; null where nobody is asked. */
  readonly name: string | null;
  readonly role: Role;
}

export class Access {
  readonly #settings: Pick<CtrlSettings, "tokens" | "tls">;
  readonly #tokens: Tokens;

  constructor(settings: Pick<CtrlSettings, "tokens" | "tls">, tokens: Tokens) {
    this.#settings = settings;
    this.#tokens = tokens;
  }

  get isGuarded(): boolean {
    return isGuarded(this.#settings);
  }

  /** Before anything else: is this a request that a web page made somebody's browser send? @throws ProblemError 403 */
  refuseForeign({ headers, method }: IncomingMessage): void {
    // A name that was made to resolve to 127.0.0.1 (DNS rebinding) makes a page same-origin with the API. With credentials it gains nothing.
    if (!this.isGuarded && !isLoopbackAuthority(headers.host)) {
      throw new ProblemError(403, "the Host header must be a loopback address");
    }
    const isReading = method === "GET" || method === "HEAD";
    if (isReading || headers.origin === undefined) return;
    if (headers.origin === `http://${headers.host}` || headers.origin === `https://${headers.host}`) return;
    throw new ProblemError(403, "the Origin header names another origin");
  }

  /** @throws ProblemError 401 without valid credentials, 403 with a certificate that is not listed */
  async identify(request: IncomingMessage): Promise<Caller> {
    if (!this.isGuarded) return { name: null, role: "write" };
    const token = bearerToken(request.headers.authorization);
    if (token !== null) {
      const caller = await this.#tokens.identify(token);
      if (caller !== null) return caller;
      throw new ProblemError(401, "the token is not known");
    }
    const { socket } = request;
    const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate() : null;
    if (certificate === null || this.#settings.tls?.clientCa === undefined) {
      throw new ProblemError(401, "say who you are: Authorization: Bearer, or a client certificate");
    }
    const caller = identifyCertificate(certificate, this.#settings.tls.clients);
    if (caller !== null) return caller;
    throw new ProblemError(403, "the client certificate is none of ctrl.tls.clients");
  }
}

function bearerToken(authorization: string | undefined): string | null {
  const [, token] = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? "") ?? [];
  return token ?? null;
}
