// Parts that the schemas of all kinds share.
import { z } from "zod";

/** 1 to 65535. */
export const portNumber = z.int().min(1).max(65_535);

export const text = z.string();
export const textList = z.array(z.string());
export const textMap = z.record(z.string(), z.string());

/** The object behind an address. */
export const targetRef = z.object({ kind: text.optional(), name: text.optional(), namespace: text.optional() });

/** The parts of `metadata` that matter; Kubernetes adds many others (`uid`, `managedFields`), so unknown ones pass. */
const metadata = z.object({
  labels: textMap.optional(),
  annotations: textMap.optional(),
  creationTimestamp: text.optional(),
});

export interface Metadata {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly creationTimestamp?: string | undefined;
}

/** What `parse` has already read of every document. */
const envelope = { apiVersion: z.unknown().optional(), kind: z.unknown().optional(), metadata };

/** An Istio document: unknown fields are errors; `status` is written by controllers. */
export function istioDocument<Spec extends z.ZodType>(spec: Spec) {
  return z.strictObject({ ...envelope, spec, status: z.unknown().optional() });
}

/** A Kubernetes document. The kinds have dozens of fields that do not concern an ingress, so unknown ones pass. */
export function kubernetesDocument<Fields extends z.core.$ZodLooseShape>(fields: Fields) {
  return z.object({ ...envelope, ...fields });
}
