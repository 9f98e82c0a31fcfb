// EndpointSlice: the addresses behind a Service, in parts.
import { z } from "zod";
import type { EndpointSliceSpec, Resource } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isIpAddress } from "./hosts.ts";
import { checkMetadata } from "./metadata.ts";
import { kubernetesDocument, type Metadata, portNumber, targetRef, text, textList } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";

/** Null means unknown, which Kubernetes asks to take as ready. */
const condition = z.boolean().nullable().optional();

const endpoint = z.object({
  addresses: textList.min(1),
  conditions: z.object({ ready: condition, serving: condition, terminating: condition }).optional(),
  targetRef: targetRef.optional(),
  nodeName: text.optional(),
  zone: text.optional(),
  hints: z.object({ forZones: z.array(z.object({ name: text })).optional() }).optional(),
});

type Fields = Omit<EndpointSliceSpec, "endpoints"> & {
  readonly endpoints?: EndpointSliceSpec["endpoints"] | undefined;
};

const fields = {
  addressType: z.enum(["IPv4", "IPv6"]).optional(),
  endpoints: z.array(endpoint).optional(),
  ports: z.array(z.object({ name: text.nullable().optional(), port: portNumber.nullable().optional() })).optional(),
};

const endpointSliceSchema: KindSchema<Fields & { metadata: Metadata }> = {
  schema: kubernetesDocument(fields),
  support: {
    refusedFields: {},
    ignoredFields: {},
    refusedValues: { addressType: { FQDN: "Write a ServiceEntry with the resolution DNS." } },
  },
};

/** The EndpointSlice, or null when it has errors. */
export function validateEndpointSlice(reporter: Reporter): Resource<EndpointSliceSpec> | null {
  const shape = readShape(endpointSliceSchema, reporter);
  if (shape === null) return null;
  const { metadata, addressType, endpoints = [], ports } = shape;
  checkMetadata(metadata, reporter);
  for (const [index, { addresses }] of endpoints.entries()) {
    for (const [addressIndex, address] of addresses.entries()) {
      if (isIpAddress(address)) continue;
      const path = ["endpoints", index, "addresses", addressIndex];
      reporter.error({ code: "invalid-address", path, message: `${quote(address)} is not an IP address` });
    }
  }
  return reporter.hasErrors ? null : toResource(reporter.document, metadata, { addressType, endpoints, ports });
}
