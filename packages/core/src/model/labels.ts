// Labels and the selectors that pick by them: equality only, as Gateways, Services, ServiceEntries and subsets use them.
import type { Resource } from "./resource.ts";

export type Labels = Readonly<Record<string, string>>;

/** True when every label of the selector is among the labels. An empty selector selects everything. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labelOf(labels, name) === value);
}

/** The value of a label. Names are anybody's: `constructor` is one like others, and not there unless it is. */
export function labelOf(labels: Labels, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}

/** Resources by namespace and label, so that thousands of selectors need not walk thousands of resources each. */
export class LabelIndex<Spec> {
  readonly #labelsOf: (resource: Resource<Spec>) => Labels;
  readonly #byNamespace = new Map<string, Resource<Spec>[]>();
  readonly #byLabel = new Map<string, Resource<Spec>[]>();

  constructor(resources: readonly Resource<Spec>[], labelsOf: (resource: Resource<Spec>) => Labels) {
    this.#labelsOf = labelsOf;
    for (const resource of resources) {
      const { namespace } = resource;
      add(this.#byNamespace, namespace, resource);
      for (const [name, value] of Object.entries(labelsOf(resource))) {
        add(this.#byLabel, labelKey(namespace, name, value), resource);
      }
    }
  }

  /** Those of the namespace that the selector picks, in the order they were given. */
  select(namespace: string, selector: Labels): readonly Resource<Spec>[] {
    const [first] = Object.entries(selector);
    if (first === undefined) return this.#byNamespace.get(namespace) ?? [];
    const candidates = this.#byLabel.get(labelKey(namespace, ...first)) ?? [];
    return candidates.filter((resource) => selects(selector, this.#labelsOf(resource)));
  }
}

function labelKey(namespace: string, name: string, value: string): string {
  return `${namespace} ${name}=${value}`;
}

function add<Entry>(groups: Map<string, Entry[]>, key: string, entry: Entry): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [entry]);
  else group.push(entry);
}
