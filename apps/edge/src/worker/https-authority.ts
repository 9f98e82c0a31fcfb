// The host that a redirect to https names. Envoy keeps the request's authority, port and all, which sends a client that reached
// port 8080 to https on port 8080. Sluice knows its own ports: one of them is replaced by the port its TLS listener has.
import type { Table } from "@sluice/core/model";
import type { HttpsAuthority } from "../proxy/select-route.ts";
import type { Binding } from "./messages.ts";

const portOfAuthority = /:(\d+)$/;

/**
 * `app.example` stays. With the port that the cleartext listener is bound to, the client talks to this machine itself: the bound port of
 * the TLS listener takes its place. With the port that the Gateway declares, a load balancer translates: the declared port does.
 * A port that is neither is kept.
 */
export function httpsAuthorityFor(
  table: () => Table,
  binding: (listener: string) => Binding | undefined,
): HttpsAuthority {
  return (authority, listenerName) => {
    const match = portOfAuthority.exec(authority);
    if (match === null) return authority;
    const host = authority.slice(0, match.index);
    const { listeners } = table();
    const plain = listeners.find((listener) => listener.name === listenerName);
    const tls = listeners.find((listener) => listener.transport === "tls" && listener.declaredPort === 443);
    const port = Number(match[1]);
    if (plain === undefined || tls === undefined) return authority;
    if (port === binding(plain.name)?.port) return withPort(host, binding(tls.name)?.port ?? tls.port);
    if (port === plain.declaredPort || port === plain.port) return withPort(host, tls.declaredPort);
    return authority;
  };
}

function withPort(host: string, port: number): string {
  return port === 443 ? host : `${host}:${port}`;
}
