// dump: prints a table as `istioctl proxy-config` would, in two dialects, as JSON or as text. The only place that knows dialects.
export { dumpClusters } from "./clusters.ts";
export { dumpEndpoints } from "./endpoints.ts";
export type { Dialect, Json, JsonObject } from "./json.ts";
export { dumpListeners } from "./listeners.ts";
export { dumpRoutes } from "./routes.ts";
export { dumpSecrets } from "./secrets.ts";
export {
  renderClusterTable,
  renderEndpointTable,
  renderListenerTable,
  renderRouteTable,
  renderSecretTable,
} from "./tables.ts";
