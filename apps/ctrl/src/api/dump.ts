// Which parts of a table can be printed, for `pc` and for the API alike.
import {
  type Dialect,
  dumpClusters,
  dumpEndpoints,
  dumpListeners,
  dumpRoutes,
  dumpSecrets,
  type JsonObject,
  renderClusterTable,
  renderEndpointTable,
  renderListenerTable,
  renderRouteTable,
  renderSecretTable,
} from "@sluice/core";
import type { Table } from "@sluice/core/model";

export const resourceNames = ["listener", "route", "cluster", "endpoint", "secret"] as const;
export type ResourceName = (typeof resourceNames)[number];

export const dialects = ["modern", "istio-1.0"] as const satisfies readonly Dialect[];

interface Printer {
  /** Envoy's JSON; private keys are redacted. */
  dump(table: Table, dialect: Dialect, name?: string): readonly JsonObject[];
  /** Drawn from the modern dialect's JSON. */
  render(resources: readonly JsonObject[]): string;
}

export const printers: Readonly<Record<ResourceName, Printer>> = {
  listener: { dump: dumpListeners, render: renderListenerTable },
  route: { dump: dumpRoutes, render: renderRouteTable },
  cluster: { dump: dumpClusters, render: renderClusterTable },
  endpoint: { dump: dumpEndpoints, render: renderEndpointTable },
  secret: { dump: dumpSecrets, render: (secrets) => renderSecretTable(secrets, Date.now()) },
};
