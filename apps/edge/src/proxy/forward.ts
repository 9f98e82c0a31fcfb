// Where a forwarded exchange goes: a destination by weight, an endpoint by the cluster's balancer, and the head that leaves.
import type { Exchange } from "../exchange/exchange.ts";
import type { FailureCode } from "../exchange/failure.ts";
import { Forwarding, type ForwardingEnvironment } from "./forwarding.ts";
import { buildUpstreamHead } from "./request-head.ts";
import { drawWeighted, type RuntimeForward } from "./runtime-route.ts";

/** Sends an exchange on its way. The failure that makes that impossible, or null. */
export function forward(
  exchange: Exchange,
  route: RuntimeForward,
  environment: ForwardingEnvironment,
): FailureCode | null {
  const destination = drawWeighted(route.destinations, route.totalWeight, environment.random);
  exchange.cluster = destination?.cluster ?? "";
  const cluster = environment.clusters.get(exchange.cluster);
  if (destination === undefined || cluster === null) return "cluster_not_found";
  const endpoint = cluster.choose(exchange);
  if (endpoint === null) return "no_healthy_upstream";
  const { shaping } = destination;
  const built = buildUpstreamHead(exchange, route.lines);
  const head = shaping === null ? built : shaping.shape(built, exchange);
  if (head === null) return "bad_path";
  const forwarding = new Forwarding(exchange, { route, destination, cluster, environment, head });
  exchange.forwarding = forwarding;
  forwarding.begin(endpoint);
  return null;
}
