// Which DestinationRules speak for a host: by namespace, then the most specific host (istio-semantics 2.7).
import { type DestinationRuleSpec, resolveShortName, type Resource, selects, visibilityFrom } from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { type MergedRule, mergeRules, warnMerged } from "./merged-rule.ts";
import { inCreationOrder } from "./order.ts";

type DestinationRule = Resource<DestinationRuleSpec>;

/** Istio's default `rootNamespace`, whose rules are for every namespace. */
const rootNamespace = "istio-system";

export class DestinationRuleIndex {
  readonly #gatewayNamespace: string;
  /** Visible rules by namespace and full host, in creation order. */
  readonly #rules = new Map<string, Map<string, DestinationRule[]>>();

  constructor({ resources, options: { gateway }, findings }: CompileContext) {
    this.#gatewayNamespace = gateway.namespace;
    for (const rule of inCreationOrder(resources.destinationRules)) {
      if (visibilityFrom(gateway.namespace, rule) === "hidden" || !isMeantFor(gateway, rule)) continue;
      const hosts = this.#rules.get(rule.namespace) ?? new Map<string, DestinationRule[]>();
      this.#rules.set(rule.namespace, hosts);
      const host = resolveShortName(rule.spec.host, rule.namespace).toLowerCase();
      hosts.set(host, [...(hosts.get(host) ?? []), rule]);
    }
    for (const hosts of this.#rules.values()) {
      for (const [host, rules] of hosts) hosts.set(host, preferSelecting(rules));
      for (const rules of hosts.values()) warnMerged(rules, findings);
    }
  }

  /**
   * The rule for a host of a service in `serviceNamespace`, or null. The gateway's own namespace is asked first, then the service's, then
   * the root namespace; the first that has a rule for the host decides, however general that rule is.
   */
  find(host: string, serviceNamespace: string): MergedRule | null {
    const own = this.#gatewayNamespace;
    // In the root namespace a rule is for everybody, and asked last, unless it is private: then it can only be meant for us.
    const local =
      own === rootNamespace ? this.#mostSpecific(own, host, isPrivateToRoot) : this.#mostSpecific(own, host);
    return local ?? this.#mostSpecific(serviceNamespace, host) ?? this.#mostSpecific(rootNamespace, host);
  }

  #mostSpecific(
    namespace: string,
    host: string,
    accepts: (rule: DestinationRule) => boolean = () => true,
  ): MergedRule | null {
    const rules = this.#rules.get(namespace);
    if (rules === undefined) return null;
    for (const ruleHost of coveringHosts(host)) {
      const rule = mergeRules((rules.get(ruleHost) ?? []).filter(accepts));
      if (rule !== null) return rule;
    }
    return null;
  }
}

/** `workloadSelector` picks gateways of the rule's own namespace; a rule that has one is for nobody else. */
function isMeantFor(
  gateway: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  { namespace, spec: { workloadSelector } }: DestinationRule,
): boolean {
  if (workloadSelector === undefined) return true;
  return namespace === gateway.namespace && selects(workloadSelector.matchLabels ?? {}, gateway.labels);
}

/** Rules meant for some gateways stand before those for all; the two kinds are not joined. */
function preferSelecting(rules: DestinationRule[]): DestinationRule[] {
  const selecting = rules.filter(({ spec }) => spec.workloadSelector !== undefined);
  return selecting.length > 0 ? selecting : rules;
}

/** The host and every wildcard that covers it, narrowest first. Wildcards are whole labels. */
function* coveringHosts(host: string): Generator<string> {
  yield host;
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) yield `*${host.slice(dot)}`;
  yield "*";
}

function isPrivateToRoot(rule: DestinationRule): boolean {
  return visibilityFrom(rootNamespace, rule) === "private";
}
