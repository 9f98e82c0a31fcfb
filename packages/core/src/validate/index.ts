// validate: documents in, typed resources and diagnostics out. A document with errors is left out; the others stay.
import type { Diagnostic, Resource, ResourceSet, SourceDocument } from "../model/index.ts";
import { validateDestinationRule } from "./destination-rule.ts";
import { validateEndpointSlice } from "./endpoint-slice.ts";
import { validateEndpoints } from "./endpoints.ts";
import { validateGateway } from "./gateway.ts";
import { validateConfigMap, validateSecret } from "./key-values.ts";
import { validatePod } from "./pod.ts";
import { Reporter } from "./reporter.ts";
import { validateServiceEntry } from "./service-entry.ts";
import { validateService } from "./service.ts";
import { validateVirtualService } from "./virtual-service.ts";
import { validateWorkloadEntry } from "./workload-entry.ts";

export { type DiagnosticCode, diagnosticCodes } from "./codes.ts";
export { checkReferences } from "./references.ts";

export interface ValidateResult {
  readonly resources: ResourceSet;
  readonly diagnostics: readonly Diagnostic[];
}

type MutableResourceSet = { -readonly [List in keyof ResourceSet]: ResourceSet[List][number][] };

/**
 * Checks every document against the schema and rules of its kind. Never throws; does not look from one document to another
 * (`checkReferences` does).
 */
export function validateDocuments(documents: readonly SourceDocument[]): ValidateResult {
  const resources: MutableResourceSet = {
    gateways: [],
    virtualServices: [],
    destinationRules: [],
    serviceEntries: [],
    workloadEntries: [],
    services: [],
    endpoints: [],
    endpointSlices: [],
    pods: [],
    secrets: [],
    configMaps: [],
  };
  const diagnostics: Diagnostic[] = [];
  for (const document of documents) {
    const reporter = new Reporter(document);
    validateInto(resources, reporter);
    for (const diagnostic of reporter.diagnostics()) diagnostics.push(diagnostic);
  }
  return { resources, diagnostics };
}

function validateInto(resources: MutableResourceSet, reporter: Reporter): void {
  switch (reporter.document.kind) {
    case "Gateway":
      return add(resources.gateways, validateGateway(reporter));
    case "VirtualService":
      return add(resources.virtualServices, validateVirtualService(reporter));
    case "ServiceEntry":
      return add(resources.serviceEntries, validateServiceEntry(reporter));
    case "Service":
      return add(resources.services, validateService(reporter));
    case "Endpoints":
      return add(resources.endpoints, validateEndpoints(reporter));
    case "EndpointSlice":
      return add(resources.endpointSlices, validateEndpointSlice(reporter));
    case "Secret":
      return add(resources.secrets, validateSecret(reporter));
    case "ConfigMap":
      return add(resources.configMaps, validateConfigMap(reporter));
    case "DestinationRule":
      return add(resources.destinationRules, validateDestinationRule(reporter));
    case "WorkloadEntry":
      return add(resources.workloadEntries, validateWorkloadEntry(reporter));
    case "Pod":
      return add(resources.pods, validatePod(reporter));
  }
}

function add<Spec>(list: Resource<Spec>[], resource: Resource<Spec> | null): void {
  if (resource !== null) list.push(resource);
}
