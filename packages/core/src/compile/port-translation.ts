// From the port a Gateway declares to the port its pods listen on: the targetPort of the Service in front of them
// (istio-semantics 2.1, resolvePorts).
import { type Resource, selects, type ServiceSpec } from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { inCreationOrder } from "./order.ts";

const translationOffLabel = "experimental.istio.io/disable-gateway-port-translation";

/** Returns the translation for this gateway: the first Service that knows the port decides; unknown ports stay. */
export function portTranslation(context: CompileContext): (declaredPort: number) => number {
  const services = servicesInFront(context).filter((service) => service.labels[translationOffLabel] !== "true");
  const warned = new Set<number>();
  return (declaredPort) => {
    for (const service of services) {
      const index = service.spec.ports?.findIndex((port) => port.port === declaredPort && isTcp(port.protocol)) ?? -1;
      const targetPort = service.spec.ports?.[index]?.targetPort;
      if (index < 0) continue;
      if (typeof targetPort === "number") return targetPort;
      if (typeof targetPort === "string" && !warned.has(declaredPort)) {
        warned.add(declaredPort);
        warnNamedPort(service, { index, declaredPort, targetPort }, context);
      }
      return declaredPort;
    }
    return declaredPort;
  };
}

/** Ports that clients can reach the gateway on; null when no Service says so. */
export function portsInFront(context: CompileContext): ReadonlySet<number> | null {
  const services = servicesInFront(context);
  if (services.length === 0) return null;
  const ports = services.flatMap(({ spec }) => (spec.ports ?? []).filter(({ protocol }) => isTcp(protocol)));
  return new Set(ports.map(({ port }) => port));
}

function servicesInFront(context: CompileContext): readonly Resource<ServiceSpec>[] {
  return inCreationOrder(context.resources.services).filter((service) => isInFront(service, context));
}

function isInFront(service: Resource<ServiceSpec>, context: CompileContext): boolean {
  const { gateway } = context.options;
  const selector = service.spec.selector ?? {};
  return (
    service.namespace === gateway.namespace && Object.keys(selector).length > 0 && selects(selector, gateway.labels)
  );
}

function isTcp(protocol: string | undefined): boolean {
  return protocol === undefined || protocol === "TCP";
}

function warnNamedPort(
  service: Resource<ServiceSpec>,
  port: { readonly index: number; readonly declaredPort: number; readonly targetPort: string },
  context: CompileContext,
): void {
  context.findings.warn(
    { resource: service, path: ["spec", "ports", port.index, "targetPort"] },
    {
      code: "unresolved-target-port",
      message: `the name "${port.targetPort}" of the gateway's container port cannot be resolved; the listener keeps port ${port.declaredPort}`,
      hint: "give targetPort as a number",
    },
  );
}
