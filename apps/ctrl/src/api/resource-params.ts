// The path of one resource.
import type { Kind } from "@sluice/core/model";
import { z } from "zod";

export const kinds = [
  "Gateway",
  "VirtualService",
  "DestinationRule",
  "ServiceEntry",
  "WorkloadEntry",
  "Secret",
  "ConfigMap",
  "Service",
  "Endpoints",
  "EndpointSlice",
] as const satisfies readonly Kind[];

/** Of a Kubernetes name. */
export const maxNameCharacters = 253;

export const resourceParams = z.strictObject({
  kind: z.enum(kinds),
  namespace: z.string().min(1).max(maxNameCharacters),
  name: z.string().min(1).max(maxNameCharacters),
});

export type ResourceParams = z.output<typeof resourceParams>;
