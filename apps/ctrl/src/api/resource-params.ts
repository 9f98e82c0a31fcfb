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

export const resourceParams = z.strictObject({
  kind: z.enum(kinds),
  namespace: z.string().min(1).max(253),
  name: z.string().min(1).max(253),
});

export type ResourceParams = z.output<typeof resourceParams>;
