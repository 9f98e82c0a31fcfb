// The host that a redirect to https names. Envoy keeps the request's authority, port and all, which sends a client that reached
// port 8080 to https on port 8080. Sluice knows its own ports: one of them is replaced by the port its TLS listener has.
import type { Listener } from "../model/index.ts";

const portOfAuthority = /:(\d+)$/;

/** The listeners of the table, and the port that each is really bound to, where that is known. */
export interface KnownPorts {
  readonly listeners: readonly Listener[];
  readonly boundPort: (listener: Listener) => number | undefined;
}

/**
 * `app.example` stays. With the port that the cleartext listener is bound to, the client talks to this machine itself: the bound port of
 * the TLS listener takes its place. With the port that the Gateway declares, a load balancer translates: the declared port does.
 * A port that is neither is kept.
 */
export function httpsAuthority(authority: string, listenerName: string, { listeners, boundPort }: KnownPorts): string {
  const match = portOfAuthority.exec(authority);
  if (match === null) return authority;
  const host = authority.slice(0, match.index);
  const plain = listeners.find((listener) => listener.name === listenerName);
  const tls = listeners.find((listener) => listener.transport === "tls" && listener.declaredPort === 443);
  const port = Number(match[1]);
  if (plain === undefined || tls === undefined) return authority;
  if (port === boundPort(plain)) return withPort(host, boundPort(tls) ?? tls.port);
  if (port === plain.declaredPort || port === plain.port) return withPort(host, tls.declaredPort);
  return authority;
}

function withPort(host: string, port: number): string {
  return port === 443 ? host : `${host}:${port}`;
}
