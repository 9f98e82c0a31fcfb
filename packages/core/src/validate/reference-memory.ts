// What the check of a VirtualService's references said, as long as nothing changed that it may refer to.
import type { Diagnostic, Resource, ResourceSet, SourceDocument, VirtualServiceSpec } from "../model/index.ts";
import type { ReferenceScope } from "./known-services.ts";

type VirtualService = Resource<VirtualServiceSpec>;

interface Checked {
  readonly document: SourceDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/** All that VirtualServices without delegates refer to. */
const targetLists = ["gateways", "destinationRules", "serviceEntries", "services"] as const;

type Targets = Pick<ResourceSet, (typeof targetLists)[number]>;

export class ReferenceMemory {
  #targets: (Targets & { readonly gatewayNamespace: string }) | null = null;
  #known = new WeakMap<VirtualServiceSpec, Checked>();
  #isUsable = false;

  /** Forgets everything where something has changed that is referred to. To be called before the checks. */
  beginRound(resources: ResourceSet, { documents, gatewayNamespace }: ReferenceScope): void {
    // Documents with errors are no resources and yet are looked at, as things that exist.
    this.#isUsable = countOf(resources) === documents.length;
    const former = this.#targets;
    const isSame =
      former !== null &&
      former.gatewayNamespace === gatewayNamespace &&
      targetLists.every((list) => isSameList(former[list], resources[list]));
    if (!isSame || !this.#isUsable) this.#known = new WeakMap();
    const { gateways, destinationRules, serviceEntries, services } = resources;
    this.#targets = { gateways, destinationRules, serviceEntries, services, gatewayNamespace };
  }

  /** Null for what has to be checked. */
  recall(virtualService: VirtualService): readonly Diagnostic[] | null {
    const known = this.#isUsable ? this.#known.get(virtualService.spec) : undefined;
    if (known === undefined) return null;
    // Findings name lines: they hold where they were made.
    return known.diagnostics.length === 0 || known.document === virtualService.document ? known.diagnostics : null;
  }

  keep({ document, spec }: VirtualService, diagnostics: readonly Diagnostic[]): void {
    if (this.#isUsable && isAlone(spec)) this.#known.set(spec, { document, diagnostics });
  }
}

/** It refers to no other VirtualService, nor waits for one to refer to it. */
function isAlone({ hosts, http = [] }: VirtualServiceSpec): boolean {
  return hosts.length > 0 && http.every(({ delegate }) => delegate === undefined);
}

function countOf(resources: ResourceSet): number {
  return Object.values(resources).reduce((sum, list: readonly unknown[]) => sum + list.length, 0);
}

/** By what is said of them, wherever they stand; findings about a reference do not name the place of its target. */
function isSameList(a: readonly Resource<unknown>[], b: readonly Resource<unknown>[]): boolean {
  if (a.length !== b.length) return false;
  return a.every(({ spec, namespace, name }, index) => {
    const other = b[index];
    return other !== undefined && other.spec === spec && other.namespace === namespace && other.name === name;
  });
}
