// Which VirtualServices a gateway sees, by the Gateway they are bound to.
import {
  type Resource,
  resolveGatewayName,
  resolveShortName,
  type VirtualServiceSpec,
  visibilityFrom,
} from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { inCreationOrder } from "./order.ts";

type VirtualService = Resource<VirtualServiceSpec>;

/** VirtualServices by `namespace/name` of the Gateway they name, in the order their routes are added. */
export function virtualServicesByGateway(context: CompileContext): ReadonlyMap<string, readonly VirtualService[]> {
  const byGateway = new Map<string, VirtualService[]>();
  for (const virtualService of inVisibilityOrder(context)) {
    for (const gateway of boundGateways(virtualService)) {
      const bound = byGateway.get(gateway);
      if (bound === undefined) byGateway.set(gateway, [virtualService]);
      else bound.push(virtualService);
    }
  }
  return byGateway;
}

/** `namespace/name` of the Gateways a VirtualService names, each once; `mesh`, the default, is none. */
export function boundGateways({ spec, namespace }: VirtualService): readonly string[] {
  const names = (spec.gateways ?? []).map((name) => resolveGatewayName(name, namespace));
  return [...new Set(names)].filter((name) => name !== "mesh");
}

/** A VirtualService's hosts as they are compared with those of Gateways: full names, lower case. */
export function virtualServiceHosts({ spec, namespace }: VirtualService): readonly string[] {
  return spec.hosts.map((host) => resolveShortName(host, namespace).toLowerCase());
}

// Istio keeps three lists and reads them in this order: first what is private to the gateway's namespace, then what is exported
// to it by name, then what is public. Where two VirtualServices share a host, it decides whose routes are tried first.
function inVisibilityOrder(context: CompileContext): readonly VirtualService[] {
  const { namespace } = context.options.gateway;
  const ordered = inCreationOrder(context.resources.virtualServices);
  return (["private", "exported", "public"] as const).flatMap((visibility) =>
    ordered.filter((virtualService) => visibilityFrom(namespace, virtualService) === visibility),
  );
}
