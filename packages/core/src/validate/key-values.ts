// Secret and ConfigMap: named texts. No message here may hold a value, only names and types: it may be a private key.
import type { KeyValueSpec, Resource } from "../model/index.ts";
import { checkMetadata } from "./metadata.ts";
import { kubernetesDocument, type Metadata, textMap } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { emptySupportTable } from "./support-table.ts";

interface KeyValueShape {
  readonly metadata: Metadata;
  readonly data?: Readonly<Record<string, string>> | undefined;
  readonly stringData?: Readonly<Record<string, string>> | undefined;
}

const secretSchema: KindSchema<KeyValueShape> = {
  schema: kubernetesDocument({ data: textMap.optional(), stringData: textMap.optional() }),
  support: emptySupportTable,
};

const configMapSchema: KindSchema<KeyValueShape> = {
  schema: kubernetesDocument({ data: textMap.optional() }),
  support: emptySupportTable,
};

/** RFC 4648 with padding; Kubernetes lets line ends pass. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The Secret with its values decoded, or null when it has errors. `stringData` wins over `data`, as in Kubernetes. */
export function validateSecret(reporter: Reporter): Resource<KeyValueSpec> | null {
  const shape = readShape(secretSchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  const values: Record<string, string> = {};
  for (const [key, encoded] of Object.entries(shape.data ?? {})) {
    const compact = encoded.replace(/[\r\n]/g, "");
    if (isBase64(compact)) values[key] = Buffer.from(compact, "base64").toString("utf8");
    else reportNotBase64(key, reporter);
  }
  Object.assign(values, shape.stringData);
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, { values });
}

/** The ConfigMap, or null when it has errors. */
export function validateConfigMap(reporter: Reporter): Resource<KeyValueSpec> | null {
  const shape = readShape(configMapSchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, { values: shape.data ?? {} });
}

/** RFC 4648 with padding, on one line. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && base64.test(text);
}

function reportNotBase64(key: string, reporter: Reporter): void {
  const message = "the value is not base64";
  const hint = "Encode it, or write it as it is under stringData.";
  reporter.error({ code: "invalid-base64", path: ["data", key], message, hint });
}
