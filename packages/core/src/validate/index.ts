// validate: documents in, typed resources and diagnostics out. A document with errors is left out; the others stay.
import type { Diagnostic, Kind, Resource, ResourceSet, SourceDocument } from "../model/index.ts";
import { validateDestinationRule } from "./destination-rule.ts";
import { validateEndpointSlice } from "./endpoint-slice.ts";
import { validateEndpoints } from "./endpoints.ts";
import { validateGateway } from "./gateway.ts";
import { validateConfigMap, validateSecret } from "./key-values.ts";
import { validatePod } from "./pod.ts";
import { Reporter } from "./reporter.ts";
import { validateServiceEntry } from "./service-entry.ts";
import { validateService } from "./service.ts";
import { type ValidatedDocument, ValidationMemory } from "./validation-memory.ts";
import { validateVirtualService } from "./virtual-service.ts";
import { validateWorkloadEntry } from "./workload-entry.ts";

export { type DiagnosticCode, diagnosticCodes } from "./codes.ts";
export { checkReferences } from "./references.ts";
export { ReferenceMemory } from "./reference-memory.ts";
export { ValidationMemory } from "./validation-memory.ts";

export interface ValidateResult {
  readonly resources: ResourceSet;
  readonly diagnostics: readonly Diagnostic[];
}

type MutableResourceSet = { -readonly [List in keyof ResourceSet]: ResourceSet[List][number][] };

/**
 * Checks every document against the schema and rules of its kind. Never throws; does not look from one document to another
 * (`checkReferences` does).
 *
 * @param memory of earlier calls; what is unchanged keeps its spec's object
 */
export function validateDocuments(
  documents: readonly SourceDocument[],
  memory = new ValidationMemory(),
): ValidateResult {
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
    const validated = memory.recall(document) ?? memory.keep(validateDocument(document));
    // What was validated as one kind goes to the list of that kind: `listOf` says so for both.
    if (validated.resource !== null) (resources[listOf[document.kind]] as Resource<unknown>[]).push(validated.resource);
    for (const diagnostic of validated.diagnostics) diagnostics.push(diagnostic);
  }
  return { resources, diagnostics };
}

const listOf = {
  Gateway: "gateways",
  VirtualService: "virtualServices",
  DestinationRule: "destinationRules",
  ServiceEntry: "serviceEntries",
  WorkloadEntry: "workloadEntries",
  Service: "services",
  Endpoints: "endpoints",
  EndpointSlice: "endpointSlices",
  Pod: "pods",
  Secret: "secrets",
  ConfigMap: "configMaps",
} as const satisfies Record<Kind, keyof ResourceSet>;

const validators: {
  readonly [Own in Kind]: (reporter: Reporter) => ResourceSet[(typeof listOf)[Own]][number] | null;
} = {
  Gateway: validateGateway,
  VirtualService: validateVirtualService,
  DestinationRule: validateDestinationRule,
  ServiceEntry: validateServiceEntry,
  WorkloadEntry: validateWorkloadEntry,
  Service: validateService,
  Endpoints: validateEndpoints,
  EndpointSlice: validateEndpointSlice,
  Pod: validatePod,
  Secret: validateSecret,
  ConfigMap: validateConfigMap,
};

function validateDocument(document: SourceDocument): ValidatedDocument {
  const reporter = new Reporter(document);
  const resource = validators[document.kind](reporter);
  return { document, resource, diagnostics: reporter.diagnostics() };
}
