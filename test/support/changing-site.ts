// A site that changes in every way a configuration can, around one route that stays: what the reload story writes, file by file.
import { documents, gatewayResource, httpServer, httpsServer, service, tlsSecret, virtualService } from "./config.ts";

export const steadyHost = "steady.example";
export const extraHost = "extra.example";
export const movedHost = "moved.example";
/** The port of the listener that comes and goes. */
export const extraPort = 9000;

/** A certificate with its key, as an authority issues it. */
type Issued = Parameters<typeof tlsSecret>[1];

export type Files = Readonly<Record<string, string>>;

export interface SiteBackends {
  readonly steady: number;
  readonly left: number;
  readonly right: number;
}

/** What the site is like before the first change. */
export function firstSite(issued: Issued, backends: SiteBackends): Files {
  return {
    "gateway.yaml": documents(
      gatewayResource("main", [
        httpServer([steadyHost, movedHost]),
        httpsServer([steadyHost], { mode: "SIMPLE", credentialName: "steady-cert" }),
      ]),
    ),
    "steady.yaml": documents(
      virtualService("steady", { hosts: [steadyHost], gateways: ["main"], destination: "steady" }),
    ),
    "backends.yaml": documents(...service("steady", backends.steady)),
    ...certificate(issued),
    ...route(0),
    ...endpoints(backends, 0),
    ...extra(null),
    ...listener(false),
  };
}

/** The certificate of the steady route's own host. */
export function certificate(issued: Issued): Files {
  return { "certificate.yaml": documents(tlsSecret("steady-cert", issued)) };
}

/** Another prefix and another weight for the moved host, for every round. */
export function route(round: number, weight = 50): Files {
  const destination = (host: string, share: number) => ({
    destination: { host, port: { number: 8000 } },
    weight: share,
  });
  return {
    "moved.yaml": documents({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "moved" },
      spec: {
        hosts: [movedHost],
        gateways: ["main"],
        http: [
          {
            match: [{ uri: { prefix: `/anything/${round}` } }],
            route: [destination("moved", weight), destination("steady", 100 - weight)],
          },
        ],
      },
    }),
  };
}

/** The moved host's endpoint: one backend or the other. */
export function endpoints({ left, right }: SiteBackends, round: number): Files {
  return { "moved-endpoints.yaml": documents(...service("moved", round % 2 === 0 ? left : right)) };
}

/** Another host with its own certificate on the steady host's ports; null takes it away. */
export function extra(issued: Issued | null): Files {
  if (issued === null) return { "extra.yaml": "# no extra host\n" };
  return {
    "extra.yaml": documents(
      gatewayResource("extra", [
        httpServer([extraHost]),
        httpsServer([extraHost], { mode: "SIMPLE", credentialName: "extra-cert" }),
      ]),
      virtualService("extra", { hosts: [extraHost], gateways: ["extra"], destination: "moved" }),
      tlsSecret("extra-cert", issued),
    ),
  };
}

/** A listener of its own, or none. */
export function listener(isThere: boolean): Files {
  if (!isThere) return { "listener.yaml": "# no extra listener\n" };
  return {
    "listener.yaml": documents(
      gatewayResource("listener", [httpServer([extraHost], { port: extraPort })]),
      virtualService("on-listener", { hosts: [extraHost], gateways: ["listener"], destination: "moved" }),
    ),
  };
}
