// `exportTo`: which namespaces see a resource. The gateway sees what is exported to its own namespace.

export interface Exported {
  readonly namespace: string;
  readonly spec: { readonly exportTo?: readonly string[] | undefined };
}

/** `private`: only because it is in the same namespace. `exported`: the namespace is named. `public`: everybody. */
export type Visibility = "private" | "exported" | "public" | "hidden";

/** How a resource is visible from a namespace. Absent or empty means everywhere; `~` means nowhere. */
export function visibilityFrom(namespace: string, resource: Exported): Visibility {
  const exportTo = resource.spec.exportTo ?? [];
  if (exportTo.includes("~")) return "hidden";
  if (exportTo.length === 0 || exportTo.includes("*")) return "public";
  const isSame = resource.namespace === namespace;
  if (isSame && exportTo.some((entry) => entry === "." || entry === namespace)) return "private";
  return !isSame && exportTo.includes(namespace) ? "exported" : "hidden";
}
