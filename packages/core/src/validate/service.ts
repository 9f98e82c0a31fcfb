// Service: the parts an ingress reads, ports and selector.
import { z } from "zod";
import type { Resource, ServiceSpec } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isLabelName } from "../parse/identify.ts";
import { hostProblem } from "./hosts.ts";
import { checkMetadata } from "./metadata.ts";
import { kubernetesDocument, type Metadata, portNumber, text, textMap } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { emptySupportTable } from "./support-table.ts";

const port = z.object({
  name: text.optional(),
  port: portNumber,
  targetPort: z.union([portNumber, text.min(1)]).optional(),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).optional(),
  appProtocol: text.optional(),
});

type Type = "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
type TypedSpec = ServiceSpec & { readonly type?: Type | undefined };

const spec: z.ZodType<TypedSpec> = z.object({
  type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).optional(),
  externalName: text.optional(),
  selector: textMap.optional(),
  ports: z.array(port).optional(),
});

const serviceSchema: KindSchema<{ metadata: Metadata; spec: TypedSpec }> = {
  schema: kubernetesDocument({ spec }),
  support: emptySupportTable,
};

/** The Service, or null when it has errors. */
export function validateService(reporter: Reporter): Resource<ServiceSpec> | null {
  const shape = readShape(serviceSchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  checkName(reporter);
  checkPorts(shape.spec, reporter);
  checkExternalName(shape.spec, reporter);
  const { type, selector, ports } = shape.spec;
  // On a Service of another type the field is left over from a change of type, and Kubernetes ignores it.
  const externalName = type === "ExternalName" ? shape.spec.externalName : undefined;
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, { externalName, selector, ports });
}

function checkExternalName({ type, externalName = "" }: TypedSpec, reporter: Reporter): void {
  if (type !== "ExternalName") return;
  const path = ["spec", "externalName"];
  if (externalName === "") {
    const message = "a Service of type ExternalName needs the name it stands for";
    return reporter.error({ code: "missing-field", path, message });
  }
  const problem = externalName.includes("*")
    ? { message: "a wildcard cannot be looked up" }
    : hostProblem(externalName);
  if (problem === null) return;
  const hint = "hint" in problem ? problem.hint : undefined;
  reporter.error({ code: "invalid-host", path, message: `${quote(externalName)}: ${problem.message}`, hint });
}

/** A name with a dot would be the full name of a host that belongs to someone else. */
function checkName(reporter: Reporter): void {
  const { name } = reporter.document;
  if (isLabelName(name)) return;
  const message = `${quote(name)} is not the name of a Service`;
  const hint = "Use lower-case letters, digits and inner hyphens, at most 63.";
  reporter.error({ code: "invalid-name", path: ["metadata", "name"], message, hint });
}

/** Kubernetes' rules: several ports need names, names are unique, and so are number and protocol together. */
function checkPorts({ ports = [] }: ServiceSpec, reporter: Reporter): void {
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, { port: number, name = "", protocol = "TCP" }] of ports.entries()) {
    const path = ["spec", "ports", index];
    if (name === "" ? ports.length > 1 : !isLabelName(name)) {
      const message = name === "" ? "with several ports each needs a name" : `${quote(name)} is not a port name`;
      reporter.error({ code: "invalid-port-name", path: [...path, "name"], message });
    } else if (name !== "" && names.has(name)) {
      const message = `the port name ${quote(name)} is listed twice`;
      reporter.error({ code: "duplicate-port-name", path: [...path, "name"], message });
    }
    if (numbers.has(`${number}/${protocol}`)) {
      reporter.error({ code: "duplicate-port", path: [...path, "port"], message: `port ${number} is listed twice` });
    }
    names.add(name);
    numbers.add(`${number}/${protocol}`);
  }
}
