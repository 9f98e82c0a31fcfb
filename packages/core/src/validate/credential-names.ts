// The form of a credential name (istio-semantics 1.1): `name`, or `kubernetes://namespace/name` and its relatives.
import { isLabelName, isSubdomainName } from "../parse/identify.ts";
import { quote } from "../parse/finding.ts";

const credentialName = /^(?:(?:kubernetes|kubernetes-gateway|configmap):\/\/)?(?:([^/]+)\/)?([^/]+)$/;

/** Why the text is no credential name, or null when it is one. */
export function credentialNameProblem(name: string): { readonly message: string; readonly hint: string } | null {
  const [, namespace, bareName = ""] = credentialName.exec(name) ?? [];
  const isQualified = name.includes("://");
  if (isSubdomainName(bareName) && (namespace === undefined || (isQualified && isLabelName(namespace)))) return null;
  return {
    message: `${quote(name)} is not the name of a Secret`,
    hint: 'Write "name" for a Secret in the gateway\'s own namespace, or "kubernetes://namespace/name".',
  };
}
