// Pod: the labels that subsets select by, its address and whether it is ready. Nothing else of it concerns an ingress.
import { z } from "zod";
import type { PodSpec, Resource } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isIpAddress } from "./hosts.ts";
import { checkMetadata } from "./metadata.ts";
import { kubernetesDocument, type Metadata, text } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { emptySupportTable } from "./support-table.ts";

const condition = z.object({ type: text, status: text });

const fields = {
  spec: z.object({ nodeName: text.optional() }).optional(),
  status: z.object({ podIP: text.optional(), conditions: z.array(condition).optional() }).optional(),
};

interface PodShape {
  readonly metadata: Metadata;
  readonly spec?: { readonly nodeName?: string | undefined } | undefined;
  readonly status?:
    | { readonly podIP?: string | undefined; readonly conditions?: z.output<typeof condition>[] | undefined }
    | undefined;
}

const podSchema: KindSchema<PodShape> = { schema: kubernetesDocument(fields), support: emptySupportTable };

/** The Pod, or null when it has errors. */
export function validatePod(reporter: Reporter): Resource<PodSpec> | null {
  const shape = readShape(podSchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  const { podIP = "", conditions = [] } = shape.status ?? {};
  if (podIP !== "" && !isIpAddress(podIP)) {
    const message = `${quote(podIP)} is not an IP address`;
    reporter.error({ code: "invalid-address", path: ["status", "podIP"], message });
  }
  const isReady = conditions.find(({ type }) => type === "Ready")?.status !== "False";
  const spec: PodSpec = { ip: podIP === "" ? undefined : podIP, nodeName: shape.spec?.nodeName, isReady };
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, spec);
}
