// Which resource a document is: kind, API version, namespace and name. Expands `List` kinds, skips what is not ours.
import type { Kind } from "../model/index.ts";
import type { ParseCode } from "./codes.ts";
import { describeType, type Finding, isRecord, quote } from "./finding.ts";
import { acceptedApiVersions, currentApiVersion, isKnownKind, judgeApiVersion, knownKinds } from "./kinds.ts";
import { didYouMean } from "./near-miss.ts";
import type { Identity } from "./yaml-document.ts";

/** A finding with the field it is about. */
export interface IdentityFinding extends Omit<Finding<ParseCode>, "path"> {
  readonly at: readonly (string | number)[];
}

/** The identity, or null when the document is skipped or broken; the findings say which and why. */
export interface Identified {
  readonly identity: Identity | null;
  readonly findings: readonly IdentityFinding[];
}

/** What an entry of a typed list (`GatewayList`) may leave out because the list says it. */
export interface InheritedType {
  readonly kind: string;
  readonly apiVersion: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

export function identify(value: unknown, defaultNamespace: string, inherited?: InheritedType): Identified {
  if (!isRecord(value)) {
    const message = `a resource is a map with apiVersion, kind and metadata; found ${describeType(value)}`;
    return { identity: null, findings: [error("not-a-resource", message, [])] };
  }
  const kind = value["kind"] ?? inherited?.kind;
  if (kind === undefined || kind === null || kind === "") {
    const hint = `Add one of ${knownKinds.join(", ")}.`;
    return { identity: null, findings: [error("missing-kind", "the document has no kind", [], hint)] };
  }
  if (typeof kind !== "string") return { identity: null, findings: [wrongType("a string", kind, ["kind"])] };
  if (!isKnownKind(kind)) return { identity: null, findings: [unknownKind(kind)] };
  const version = readApiVersion(kind, value["apiVersion"] ?? inherited?.apiVersion);
  if (version.apiVersion === null) return { identity: null, findings: version.findings };
  const named = readName(value["metadata"], kind, defaultNamespace);
  const findings = [...version.findings, ...named.findings];
  if (named.name === null) return { identity: null, findings };
  return { identity: { kind, apiVersion: version.apiVersion, namespace: named.namespace, name: named.name }, findings };
}

function readApiVersion(kind: Kind, apiVersion: unknown): { apiVersion: string | null; findings: IdentityFinding[] } {
  if (apiVersion === undefined || apiVersion === null || apiVersion === "") {
    const current = currentApiVersion(kind);
    const message = `no apiVersion; read as ${current}`;
    const finding = { severity: "warning", code: "missing-api-version", message, at: ["kind"] } as const;
    return { apiVersion: current, findings: [{ ...finding, hint: `Add "apiVersion: ${current}".` }] };
  }
  if (typeof apiVersion !== "string") {
    return { apiVersion: null, findings: [wrongType("a string", apiVersion, ["apiVersion"])] };
  }
  const accepted = acceptedApiVersions(kind);
  switch (judgeApiVersion(kind, apiVersion)) {
    case "accepted":
      return { apiVersion, findings: [] };
    case "other-version": {
      const message = `apiVersion ${quote(apiVersion)} of ${kind} is not supported`;
      const hint = `Write one of ${accepted.join(", ")}.`;
      return { apiVersion: null, findings: [error("unsupported-api-version", message, ["apiVersion"], hint)] };
    }
    case "other-group": {
      const message = `${kind} of ${quote(apiVersion)} is not a kind that Sluice reads; the document is skipped`;
      const hint = didYouMean(apiVersion, accepted) ?? `Sluice reads ${kind} of ${accepted.join(", ")}.`;
      const finding = { severity: "warning", code: "unknown-kind", message, hint, at: ["apiVersion"] } as const;
      return { apiVersion: null, findings: [finding] };
    }
  }
}

function readName(
  metadata: unknown,
  kind: Kind,
  defaultNamespace: string,
): { name: string | null; namespace: string; findings: IdentityFinding[] } {
  if (metadata !== undefined && metadata !== null && !isRecord(metadata)) {
    return { name: null, namespace: "", findings: [wrongType("a map", metadata, ["metadata"])] };
  }
  const findings: IdentityFinding[] = [];
  const name = readText(metadata ?? {}, "name", findings);
  const namespace = readText(metadata ?? {}, "namespace", findings) ?? defaultNamespace;
  if (name === undefined && findings.length === 0) {
    findings.push(error("missing-name", `this ${kind} has no metadata.name`, ["metadata"], 'Add "metadata.name".'));
  }
  if (name !== undefined && !isSubdomainName(name)) findings.push(invalidName("name", name, "dots and "));
  if (!isLabelName(namespace)) findings.push(invalidName("namespace", namespace, ""));
  const isUsable = findings.length === 0 && name !== undefined;
  return { name: isUsable ? name : null, namespace, findings };
}

function readText(metadata: Fields, field: string, findings: IdentityFinding[]): string | undefined {
  const value = metadata[field];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  findings.push(wrongType("a string", value, ["metadata", field]));
  return undefined;
}

/** RFC 1123 label, as Kubernetes namespaces are named. */
export function isLabelName(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

/** RFC 1123 subdomain, as Kubernetes resources are named. */
export function isSubdomainName(text: string): boolean {
  return text.length <= 253 && text.split(".").every(isLabelName);
}

function invalidName(field: string, text: string, extra: string): IdentityFinding {
  const message = `metadata.${field} ${quote(text)} is not a Kubernetes name`;
  const hint = `Use lower-case letters, digits, ${extra}hyphens inside; each part at most 63 characters.`;
  return error("invalid-name", message, ["metadata", field], hint);
}

function unknownKind(kind: string): IdentityFinding {
  const message = `${quote(kind)} is not a kind that Sluice reads; the document is skipped`;
  return { severity: "warning", code: "unknown-kind", message, hint: didYouMean(kind, knownKinds), at: ["kind"] };
}

function wrongType(expected: string, found: unknown, at: IdentityFinding["at"]): IdentityFinding {
  return error("wrong-type", `expected ${expected}, found ${describeType(found)}`, at);
}

function error(code: ParseCode, message: string, at: IdentityFinding["at"], hint?: string): IdentityFinding {
  return { severity: "error", code, message, hint, at };
}
