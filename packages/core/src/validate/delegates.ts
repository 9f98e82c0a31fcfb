// Who delegates to whom: delegates that are not there, and delegates that nobody names (istio-semantics 2.5).
import { type Resource, type SourceDocument, type VirtualServiceSpec, visibilityFrom } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import type { Reporter } from "./reporter.ts";
import { Suggestions } from "./suggestions.ts";

type VirtualService = Resource<VirtualServiceSpec>;

export class Delegates {
  readonly #byName: ReadonlyMap<string, VirtualService>;
  /** Every document's name, also of those with errors: they exist. */
  readonly #documents: ReadonlySet<string>;
  readonly #named = new Set<string>();
  readonly #suggestions: Suggestions;

  constructor(virtualServices: readonly VirtualService[], documents: readonly SourceDocument[]) {
    this.#byName = new Map(virtualServices.map((virtualService) => [nameOf(virtualService), virtualService]));
    this.#documents = new Set(documents.filter(({ kind }) => kind === "VirtualService").map(nameOf));
    for (const { namespace, spec } of virtualServices) {
      for (const { delegate } of spec.http ?? [])
        if (delegate !== undefined) this.#named.add(fullName(delegate, namespace));
    }
    const isDelegate = ({ spec }: VirtualService): boolean => spec.hosts.length === 0;
    this.#suggestions = new Suggestions(virtualServices.filter(isDelegate).map(nameOf));
  }

  check(virtualService: VirtualService, reporter: Reporter): void {
    const { namespace, spec } = virtualService;
    if (spec.hosts.length === 0 && !this.#named.has(nameOf(virtualService))) {
      const message =
        "without hosts this is a delegate, and no virtual service delegates to it: nothing of it is served";
      const hint = `Add spec.hosts, or name it in another one: delegate: {name: ${virtualService.name}, namespace: ${namespace}}.`;
      reporter.warning({ code: "unused-delegate", path: ["spec", "hosts"], message, hint });
    }
    for (const [index, { delegate }] of (spec.http ?? []).entries()) {
      if (delegate === undefined) continue;
      const problem = this.#problemOf(fullName(delegate, namespace), namespace);
      const path = ["spec", "http", index, "delegate", "name"];
      if (problem !== null) reporter.warning({ code: "unknown-delegate", path, ...problem });
    }
  }

  #problemOf(name: string, namespace: string): { readonly message: string; readonly hint?: string | undefined } | null {
    const delegate = this.#byName.get(name);
    if (delegate === undefined) {
      if (this.#documents.has(name)) return null;
      return {
        message: `there is no VirtualService ${quote(name)}: this rule is left out`,
        hint: this.#suggestions.didYouMean(name),
      };
    }
    if (delegate.spec.hosts.length > 0) {
      const message = `VirtualService ${quote(name)} has hosts, so it is no delegate: this rule is left out`;
      return { message, hint: "Remove its spec.hosts and spec.gateways." };
    }
    if (visibilityFrom(namespace, delegate) !== "hidden") return null;
    const audience = (delegate.spec.exportTo ?? []).join(", ");
    const message = `VirtualService ${quote(name)} is exported to ${quote(audience)} only, not to ${namespace}: this rule is left out`;
    return { message, hint: `Add "${namespace}" to its spec.exportTo.` };
  }
}

function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function fullName(
  delegate: { readonly name: string; readonly namespace?: string | undefined },
  namespace: string,
): string {
  return `${delegate.namespace === undefined || delegate.namespace === "" ? namespace : delegate.namespace}/${delegate.name}`;
}
