// Every finding that reading can make: its code and what it means. The reference documentation is generated from this.

export const parseCodes = {
  "yaml-syntax": "The text is not well-formed YAML or JSON.",
  "file-too-large": "The file is larger than the limit, or holds more documents than the limit.",
  "nesting-too-deep": "Lists and maps are nested deeper than the limit.",
  "too-many-aliases": "YAML aliases would expand the document beyond the limit.",
  "invalid-alias": "A YAML alias names an anchor that does not exist before it, or that contains the alias.",
  "duplicate-key": "One map holds the same key twice.",
  "invalid-key": "A map key is not a plain text, or is a name that JavaScript reserves.",
  "invalid-merge-key": "The value of a YAML merge key (`<<`) is not a map or a list of maps.",
  "not-a-resource": "The document is not a map with `apiVersion`, `kind` and `metadata`.",
  "missing-kind": "The document has no `kind`.",
  "missing-name": "The document has no `metadata.name`.",
  "invalid-name": "`metadata.name` or `metadata.namespace` is not a Kubernetes name.",
  "missing-api-version": "The document has no `apiVersion`; the current one of its kind is assumed.",
  "unsupported-api-version": "Sluice reads this kind and group, but not this version.",
  "unknown-kind": "Sluice does not read this kind or this API group; the document is skipped.",
  "duplicate-resource": "Two documents have the same kind, namespace and name.",
  "wrong-type": "The field holds another type of value than it should.",
} as const;

export type ParseCode = keyof typeof parseCodes;
