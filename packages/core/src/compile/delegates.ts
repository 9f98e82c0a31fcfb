// VirtualServices whose rules lead to delegates: the delegates' rules take the place of the one that names them (istio-semantics 2.5).
// What comes out has no delegates; everything after this step reads plain VirtualServices.
import {
  type Delegate,
  type Destination,
  type HttpRule,
  type Resource,
  resolveShortName,
  type ResourceSet,
  type VirtualServiceSpec,
  visibilityFrom,
} from "../model/index.ts";
import { intersectMatches, joinNames, withFullNames } from "./delegate-matches.ts";
import { describeSite, type Findings } from "./findings.ts";

type VirtualService = Resource<VirtualServiceSpec>;

/** The resources with every VirtualService complete, and without those that are only delegates. */
export function takeInDelegates(resources: ResourceSet, findings: Findings): ResourceSet {
  const delegates = resources.virtualServices.filter(({ spec }) => spec.hosts.length === 0);
  const named = new Map(delegates.map((delegate) => [`${delegate.namespace}/${delegate.name}`, delegate]));
  const roots = resources.virtualServices.filter(({ spec }) => spec.hosts.length > 0);
  return { ...resources, virtualServices: roots.map((root) => complete(root, named, findings)) };
}

function complete(
  root: VirtualService,
  named: ReadonlyMap<string, VirtualService>,
  findings: Findings,
): VirtualService {
  const { http } = root.spec;
  if (http === undefined || http.every(({ delegate }) => delegate === undefined)) return root;
  const rules = http.flatMap((rule, index) => {
    if (rule.delegate === undefined) return [rule];
    // Missing ones are reported where references are checked; their rule takes nothing, so the next ones are asked.
    const delegate = findDelegate(rule.delegate, root, named);
    return delegate === null ? [] : takeIn({ root, rule, index }, delegate, findings);
  });
  return { ...root, spec: { ...root.spec, http: rules } };
}

/** Null for one that does not exist or that its namespace does not share. */
function findDelegate(
  { name, namespace = "" }: Delegate,
  root: VirtualService,
  named: ReadonlyMap<string, VirtualService>,
): VirtualService | null {
  const delegate = named.get(`${namespace === "" ? root.namespace : namespace}/${name}`) ?? null;
  return delegate !== null && visibilityFrom(root.namespace, delegate) !== "hidden" ? delegate : null;
}

interface RootRule {
  readonly root: VirtualService;
  readonly rule: HttpRule;
  readonly index: number;
}

function takeIn({ root, rule, index }: RootRule, delegate: VirtualService, findings: Findings): readonly HttpRule[] {
  const rootMatches = (rule.match ?? []).map((match) => withFullNames(match, root.namespace));
  return (delegate.spec.http ?? []).flatMap((own, ownIndex) => {
    const ownMatches = (own.match ?? []).map((match) => withFullNames(match, delegate.namespace));
    const match = intersectMatches(rootMatches, ownMatches);
    if (match !== null) return [mergeRule(rule, { ...inFull(own, delegate.namespace), match })];
    const site = { resource: root, path: ["spec", "http", index, "delegate"] };
    const place = describeSite(`rule ${own.name ?? ownIndex}`, {
      resource: delegate,
      path: ["spec", "http", ownIndex],
    });
    findings.warn(site, {
      code: "delegate-conflict",
      message: `${place} is left out: a match of it asks for what no match here hands on`,
      hint: "let each match of the delegate lie within one of this rule's: a prefix that goes on where this one ends, other headers",
    });
    return [];
  });
}

/** What the delegate leaves open is the root's. */
function mergeRule(root: HttpRule, own: HttpRule): HttpRule {
  return {
    ...own,
    name: joinNames(root.name, own.name),
    rewrite: own.rewrite ?? root.rewrite,
    timeout: own.timeout ?? root.timeout,
    retries: own.retries ?? root.retries,
    fault: own.fault ?? root.fault,
    mirror: own.mirror ?? root.mirror,
    mirrorPercent: own.mirrorPercent ?? root.mirrorPercent,
    mirrorPercentage: own.mirrorPercentage ?? root.mirrorPercentage,
    mirrors: own.mirrors ?? root.mirrors,
    corsPolicy: own.corsPolicy ?? root.corsPolicy,
    headers: own.headers ?? root.headers,
  };
}

/** The rule with hosts that read the same in the root's namespace. */
function inFull(rule: HttpRule, namespace: string): HttpRule {
  const resolve = (destination: Destination): Destination => ({
    ...destination,
    host: resolveShortName(destination.host, namespace),
  });
  return {
    ...rule,
    route: rule.route?.map((entry) => ({ ...entry, destination: resolve(entry.destination) })),
    mirror: rule.mirror && resolve(rule.mirror),
    mirrors: rule.mirrors?.map((entry) => ({ ...entry, destination: resolve(entry.destination) })),
  };
}
