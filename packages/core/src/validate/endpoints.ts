// Endpoints: the addresses behind a Service.
import { z } from "zod";
import type { EndpointsSpec, EndpointSubset, Resource } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isIpAddress } from "./hosts.ts";
import { checkMetadata } from "./metadata.ts";
import { kubernetesDocument, type Metadata, portNumber, targetRef, text } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { emptySupportTable } from "./support-table.ts";

const addresses = z.array(z.object({ ip: text, nodeName: text.optional(), targetRef: targetRef.optional() }));

const subset: z.ZodType<EndpointSubset> = z.object({
  addresses: addresses.optional(),
  notReadyAddresses: addresses.optional(),
  ports: z.array(z.object({ name: text.optional(), port: portNumber })).optional(),
});

const endpointsSchema: KindSchema<{ metadata: Metadata; subsets?: EndpointSubset[] | undefined }> = {
  schema: kubernetesDocument({ subsets: z.array(subset).optional() }),
  support: emptySupportTable,
};

/** The Endpoints, or null when they have errors. */
export function validateEndpoints(reporter: Reporter): Resource<EndpointsSpec> | null {
  const shape = readShape(endpointsSchema, reporter);
  if (shape === null) return null;
  const { metadata, subsets = [] } = shape;
  checkMetadata(metadata, reporter);
  for (const [index, entry] of subsets.entries()) checkAddresses(entry, index, reporter);
  return reporter.hasErrors ? null : toResource(reporter.document, metadata, { subsets });
}

function checkAddresses(entry: EndpointSubset, subsetIndex: number, reporter: Reporter): void {
  for (const field of ["addresses", "notReadyAddresses"] as const) {
    for (const [index, { ip }] of (entry[field] ?? []).entries()) {
      if (isIpAddress(ip)) continue;
      const path = ["subsets", subsetIndex, field, index, "ip"];
      reporter.error({ code: "invalid-address", path, message: `${quote(ip)} is not an IP address` });
    }
  }
}
