// Subsets that routes lead to and whose labels no endpoint has (Istio's analyzer IST0173): requests to them get 503.
import { labelOf, type Subset } from "../model/index.ts";
import type { Findings } from "./findings.ts";
import type { Instance } from "./instances.ts";
import type { FoundSubset } from "./merged-rule.ts";
import { compareText } from "./order.ts";

export class EmptySubsets {
  readonly #findings: Findings;
  readonly #reported = new Set<Subset>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Warns once of a subset, however many ports it has. One that has nothing to select from is no mistake of its labels. */
  report({ rule, index, subset }: FoundSubset, instances: readonly Instance[]): void {
    if (instances.length === 0 || this.#reported.has(subset)) return;
    this.#reported.add(subset);
    const labels = Object.entries(subset.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    const message = `none of the ${instances.length} endpoints has ${labels.join(", ")}: requests to subset "${subset.name}" get 503`;
    this.#findings.warn(
      { resource: rule, path: ["spec", "subsets", index, "labels"] },
      { code: "empty-subset", message, hint: describeLabels(Object.keys(subset.labels ?? {}), instances) },
    );
  }
}

/** What the endpoints say instead: `version is v1, v2`. */
function describeLabels(keys: readonly string[], instances: readonly Instance[]): string {
  const found = keys.map((key) => {
    const values = new Set(instances.flatMap(({ labels }) => labelOf(labels, key) ?? []));
    return values.size === 0
      ? `no endpoint has ${key}`
      : `${key} is ${[...values].toSorted(compareText).slice(0, 5).join(", ")}`;
  });
  return `${found.join("; ")}.`;
}
