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
import { describeSite, type Findings, type Site } from "./findings.ts";

type VirtualService = Resource<VirtualServiceSpec>;

/**
 * Matches that delegates make of all virtual services together. Each match of a rule meets each one of its delegate, so that a file of a
 * thousand lines could ask for millions of routes.
 */
const maxDelegatedMatches = 100_000;

/** What the delegates of one configuration share. */
interface Delegation {
  readonly named: ReadonlyMap<string, VirtualService>;
  readonly findings: Findings;
  matchesLeft: number;
}

/** The resources with every VirtualService complete, and without those that are only delegates. */
export function takeInDelegates(resources: ResourceSet, findings: Findings): ResourceSet {
  const delegates = resources.virtualServices.filter(({ spec }) => spec.hosts.length === 0);
  const named = new Map(delegates.map((delegate) => [`${delegate.namespace}/${delegate.name}`, delegate]));
  const roots = resources.virtualServices.filter(({ spec }) => spec.hosts.length > 0);
  const delegation: Delegation = { named, findings, matchesLeft: maxDelegatedMatches };
  return { ...resources, virtualServices: roots.map((root) => complete(root, delegation)) };
}

function complete(root: VirtualService, delegation: Delegation): VirtualService {
  const { http } = root.spec;
  if (http === undefined || http.every(({ delegate }) => delegate === undefined)) return root;
  const rules = http.flatMap((rule, index) => {
    if (rule.delegate === undefined) return [rule];
    // Missing ones are reported where references are checked; their rule takes nothing, so the next ones are asked.
    const delegate = findDelegate(rule.delegate, root, delegation.named);
    return delegate === null ? [] : takeIn({ root, rule, index }, delegate, delegation);
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

function takeIn(rootRule: RootRule, delegate: VirtualService, delegation: Delegation): readonly HttpRule[] {
  const { root, rule } = rootRule;
  const rootMatches = (rule.match ?? []).map((match) => withFullNames(match, root.namespace));
  const rules: HttpRule[] = [];
  for (const [index, own] of (delegate.spec.http ?? []).entries()) {
    const ownMatches = (own.match ?? []).map((match) => withFullNames(match, delegate.namespace));
    const match = intersectMatches(rootMatches, ownMatches, delegation.matchesLeft);
    // The whole rule goes: half of a delegate would send requests to rules that were never meant for them.
    if (match === "too-many") return warnTooMany(rootRule, delegate, delegation);
    if (match === null) {
      warnConflict(rootRule, { delegate, own, index }, delegation);
      continue;
    }
    delegation.matchesLeft -= match.length;
    rules.push(mergeRule(rule, { ...inFull(own, delegate.namespace), match }));
  }
  return rules;
}

function delegateSite({ root, index }: RootRule): Site {
  return { resource: root, path: ["spec", "http", index, "delegate"] };
}

function warnConflict(
  rootRule: RootRule,
  { delegate, own, index }: { readonly delegate: VirtualService; readonly own: HttpRule; readonly index: number },
  { findings }: Delegation,
): void {
  const place = describeSite(`rule ${own.name ?? index}`, { resource: delegate, path: ["spec", "http", index] });
  findings.warn(delegateSite(rootRule), {
    code: "delegate-conflict",
    message: `${place} is left out: a match of it asks for what no match here hands on`,
    hint: "let each match of the delegate lie within one of this rule's: a prefix that goes on where this one ends, other headers",
  });
}

function warnTooMany(rootRule: RootRule, delegate: VirtualService, { findings }: Delegation): readonly HttpRule[] {
  const place = describeSite("rules", { resource: delegate, path: ["spec", "http"] });
  findings.warn(delegateSite(rootRule), {
    code: "delegate-too-large",
    message: `this rule is left out: its matches and those of the ${place} make more than ${maxDelegatedMatches} together`,
    hint: "each match here meets each match there: let one side ask for the path and the other for the rest",
  });
  return [];
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
