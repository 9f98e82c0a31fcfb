// The forms in which a Gateway names a credential (istio-semantics 1.1): a bare name, `kubernetes://[ns/]name`,
// `kubernetes-gateway://ns/name`, `configmap://ns/name`.

export interface Credential {
  readonly source: "Secret" | "ConfigMap";
  readonly namespace: string;
  readonly name: string;
}

/** The object a credential name points at, or null for a form that Sluice does not know. */
export function parseCredentialName(text: string, gatewayNamespace: string): Credential | null {
  const [, scheme = "kubernetes", rest = ""] = /^(?:([\w-]+):\/\/)?(.*)$/.exec(text) ?? [];
  const source = scheme === "configmap" ? "ConfigMap" : "Secret";
  if (scheme !== "kubernetes" && scheme !== "kubernetes-gateway" && scheme !== "configmap") return null;
  const steps = rest.split("/");
  if (steps.length > 2 || steps.includes("")) return null;
  const name = steps.at(-1) ?? "";
  return { source, namespace: steps.length === 2 ? (steps[0] ?? "") : gatewayNamespace, name };
}

const caSuffix = "-cacert";

/** Name of the secret resource that holds a credential's certificate and key. */
export function certificateResourceName(credential: Credential): string {
  return `${credential.source === "Secret" ? "kubernetes" : "configmap"}://${credential.namespace}/${credential.name}`;
}

/** Name of the secret resource that holds the client CA which belongs to a credential. */
export function caResourceName(credential: Credential): string {
  const name = certificateResourceName(credential);
  return credential.source === "ConfigMap" || name.endsWith(caSuffix) ? name : name + caSuffix;
}

/** Names of the objects that may hold the client CA, best first: `<name>-cacert`, then `<name>`. */
export function caObjectNames(credential: Credential): readonly string[] {
  if (credential.source === "ConfigMap") return [credential.name];
  const base = credential.name.endsWith(caSuffix) ? credential.name.slice(0, -caSuffix.length) : credential.name;
  return [base + caSuffix, base];
}
