// The subsets that routes may lead to, by the host that their DestinationRules are for.
import { type DestinationRuleSpec, type Resource, resolveShortName, visibilityFrom } from "../model/index.ts";
import { isRecord } from "../parse/finding.ts";
import { didYouMean } from "../parse/near-miss.ts";
import { HostSet } from "./hosts.ts";
import type { ReferenceScope } from "./known-services.ts";

export class KnownSubsets {
  readonly #byHost = new Map<string, Set<string>>();
  readonly #hosts: HostSet;
  /** Hosts of rules that have errors. */
  readonly #unreadable: HostSet;

  constructor(rules: readonly Resource<DestinationRuleSpec>[], { documents, gatewayNamespace }: ReferenceScope) {
    for (const rule of rules) {
      if (visibilityFrom(gatewayNamespace, rule) === "hidden") continue;
      const host = resolveShortName(rule.spec.host, rule.namespace).toLowerCase();
      const names = this.#byHost.get(host) ?? new Set();
      this.#byHost.set(host, names);
      for (const { name } of rule.spec.subsets ?? []) names.add(name);
    }
    this.#hosts = new HostSet(this.#byHost.keys());
    const readable = new Set(rules.map(({ document }) => document));
    const broken = documents.filter((document) => document.kind === "DestinationRule" && !readable.has(document));
    this.#unreadable = new HostSet(
      broken.flatMap(({ namespace, value: { spec } }) => {
        const host = isRecord(spec) ? spec["host"] : undefined;
        return typeof host === "string" ? [resolveShortName(host, namespace)] : [];
      }),
    );
  }

  has(host: string, subset: string): boolean {
    return this.#namesOf(host).includes(subset);
  }

  /** True when a rule for the host has errors: the subset may be in it. */
  isUnreadable(host: string): boolean {
    return this.#unreadable.covering(host) !== null;
  }

  /** `Did you mean "v1"?`, or what there is. */
  suggest(host: string, subset: string): string {
    const names = this.#namesOf(host);
    if (names.length === 0) return "Define it under subsets of a DestinationRule for the host.";
    return didYouMean(subset, names) ?? `Its subsets are ${names.toSorted().join(", ")}.`;
  }

  /** Of the most specific rules' host only: rules for wider ones are not asked where narrower ones exist. */
  #namesOf(host: string): readonly string[] {
    const covering = this.#hosts.covering(host);
    return covering === null ? [] : [...(this.#byHost.get(covering) ?? [])];
  }
}
