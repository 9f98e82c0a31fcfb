// What every step of one compilation shares.
import type { ResourceSet } from "../model/index.ts";
import type { Findings } from "./findings.ts";
import type { ObjectIndex } from "./object-index.ts";
import type { CompileOptions } from "./options.ts";
import type { ServiceRegistry } from "./service-registry.ts";

/** What a name in a destination stands for. */
export type DestinationNames = Pick<ServiceRegistry, "targetOf" | "onlyPort">;

/**
 * All that the routes of a VirtualService may depend on beside itself and the server they are for. `RouteMemory` keeps routes while this says
 * the same: whoever widens it has to teach `RouteMemory` what was added.
 */
export interface RouteContext {
  readonly options: { readonly gateway: Pick<CompileOptions["gateway"], "labels" | "namespace"> };
  readonly services: DestinationNames;
}

export interface CompileContext {
  readonly resources: ResourceSet;
  readonly options: CompileOptions;
  readonly findings: Findings;
  readonly services: ServiceRegistry;
  readonly objects: ObjectIndex;
}
