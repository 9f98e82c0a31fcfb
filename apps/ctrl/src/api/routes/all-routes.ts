// Every endpoint of the API.
import { describeApi } from "../openapi.ts";
import type { Route } from "../route.ts";
import type { Services } from "../services.ts";
import { eventRoutes } from "./event-routes.ts";
import { healthRoutes, openApiRoute } from "./meta-routes.ts";
import { pushRoutes } from "./push-routes.ts";
import { resourceRoutes } from "./resource-routes.ts";
import { tableRoutes } from "./table-routes.ts";
import { versionRoutes } from "./version-routes.ts";

/** @param version of the product */
export function allRoutes(services: Services, version: string): readonly Route[] {
  const routes: Route[] = [
    ...versionRoutes(services),
    ...resourceRoutes(services),
    ...pushRoutes(services),
    ...tableRoutes(services),
    ...eventRoutes(services),
    ...healthRoutes(services),
  ];
  routes.push(openApiRoute(() => describeApi(routes, version)));
  return routes;
}
