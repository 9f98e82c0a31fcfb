// Secrets as they may be seen: their keys, not their values.

/** In place of every value. */
export const redacted = "[redacted]";

/** Where `kubectl apply` keeps a copy of the whole document, values included. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** All else may hold values: a misspelt `stringdata` does. */
const shownFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "type", "immutable"]);

type Value = Readonly<Record<string, unknown>>;

/** The document without what nobody may see. Other kinds are returned as they are. */
export function redactSecrets(value: Value): Value {
  if (value["kind"] !== "Secret") return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([field, content]) => [field, shownFields.has(field) ? content : hide(content)]),
  );
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
  return Object.entries(value).some(([field, content]) => {
    if (shownFields.has(field)) return false;
    return content === redacted || (isRecord(content) && Object.values(content).includes(redacted));
  });
}

function hide(content: unknown): unknown {
  if (!isRecord(content)) return redacted;
  return Object.fromEntries(Object.keys(content).map((key) => [key, redacted]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
