// Which DestinationRule speaks for a host: by namespace, then the most specific host (istio-semantics 2.7).
import { type DestinationRuleSpec, type Resource, resolveShortName, visibilityFrom } from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { describeSite } from "./findings.ts";
import { inCreationOrder } from "./order.ts";

type DestinationRule = Resource<DestinationRuleSpec>;

/** Istio's default `rootNamespace`, whose rules are for every namespace. */
const rootNamespace = "istio-system";

export class DestinationRuleIndex {
  readonly #gatewayNamespace: string;
  /** Visible rules by namespace and full host, in creation order. */
  readonly #rules = new Map<string, Map<string, DestinationRule[]>>();

  constructor({ resources, options, findings }: CompileContext) {
    this.#gatewayNamespace = options.gateway.namespace;
    for (const rule of inCreationOrder(resources.destinationRules)) {
      if (visibilityFrom(this.#gatewayNamespace, rule) === "hidden") continue;
      const hosts = this.#rules.get(rule.namespace) ?? new Map<string, DestinationRule[]>();
      this.#rules.set(rule.namespace, hosts);
      const host = resolveShortName(rule.spec.host, rule.namespace).toLowerCase();
      hosts.set(host, [...(hosts.get(host) ?? []), rule]);
    }
    this.#warnShadowed(findings);
  }

  /**
   * The rule for a host of a service in `serviceNamespace`, or null. The gateway's own namespace is asked first, then the service's, then
   * the root namespace; the first that has a rule for the host decides, however general that rule is.
   */
  find(host: string, serviceNamespace: string): DestinationRule | null {
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
  ): DestinationRule | null {
    const rules = this.#rules.get(namespace);
    if (rules === undefined) return null;
    for (const ruleHost of coveringHosts(host)) {
      const rule = speaker((rules.get(ruleHost) ?? []).filter(accepts));
      if (rule !== undefined) return rule;
    }
    return null;
  }

  #warnShadowed(findings: CompileContext["findings"]): void {
    for (const rules of [...this.#rules.values()].flatMap((hosts) => [...hosts.values()])) {
      const winner = speaker(rules);
      for (const rule of rules) {
        if (winner === undefined || rule === winner || rule.spec.trafficPolicy === undefined) continue;
        const place = describeSite("that", { resource: winner, path: ["spec", "trafficPolicy"] });
        findings.warn(
          { resource: rule, path: ["spec", "trafficPolicy"] },
          {
            code: "duplicate-destination-rule",
            message: `"${rule.spec.host}" has a traffic policy already; ${place} is used, this one is not`,
          },
        );
      }
    }
  }
}

/** Of several rules for one host the first with a policy speaks: Istio joins them, and never overrides a policy it has. */
function speaker(rules: readonly DestinationRule[]): DestinationRule | undefined {
  return rules.find(({ spec }) => spec.trafficPolicy !== undefined) ?? rules[0];
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
