// Secrets as they may be seen: their keys, not their values.

/** In place of every value. */
export const redacted = "[redacted]";

/** Where `kubectl apply` keeps a copy of the whole document, values included. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

type Value = Readonly<Record<string, unknown>>;

/** The document without what nobody may see. Other kinds are returned as they are. */
export function redactSecrets(value: Value): Value {
  if (value["kind"] !== "Secret") return value;
  const copy: Record<string, unknown> = { ...value };
  for (const field of ["data", "stringData"]) {
    const values = copy[field];
    if (isRecord(values)) copy[field] = Object.fromEntries(Object.keys(values).map((key) => [key, redacted]));
  }
  const metadata = copy["metadata"];
  if (isRecord(metadata) && isRecord(metadata["annotations"])) {
    const annotations = Object.entries(metadata["annotations"]).filter(([name]) => name !== lastApplied);
    copy["metadata"] = { ...metadata, annotations: Object.fromEntries(annotations) };
  }
  return copy;
}

/** True when writing the document would put the placeholder in place of a secret. */
export function isRedacted(value: Value): boolean {
  if (value["kind"] !== "Secret") return false;
  return ["data", "stringData"].some((field) => {
    const values = value[field];
    return isRecord(values) && Object.values(values).includes(redacted);
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
