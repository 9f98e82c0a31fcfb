// What every step of one compilation shares.
import type { ResourceSet } from "../model/index.ts";
import type { Findings } from "./findings.ts";
import type { ObjectIndex } from "./object-index.ts";
import type { CompileOptions } from "./options.ts";
import type { ServiceRegistry } from "./service-registry.ts";

export interface CompileContext {
  readonly resources: ResourceSet;
  readonly options: CompileOptions;
  readonly findings: Findings;
  readonly services: ServiceRegistry;
  readonly objects: ObjectIndex;
}
