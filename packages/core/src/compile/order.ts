// The order in which resources of one kind are considered. Every "first wins" of the compiler depends on it, so it never
// depends on the order in which files were read.
import type { Resource } from "../model/index.ts";

/** Plain code unit order: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Istio's order: creation time, then name, then namespace. Resources without a time come first, as Kubernetes' zero time does.
 */
export function inCreationOrder<Spec>(resources: readonly Resource<Spec>[]): Resource<Spec>[] {
  return resources.toSorted(
    (a, b) =>
      creationTimeMs(a) - creationTimeMs(b) || compareText(a.name, b.name) || compareText(a.namespace, b.namespace),
  );
}

function creationTimeMs(resource: Resource<unknown>): number {
  const timeMs = resource.creationTimestamp === null ? Number.NaN : Date.parse(resource.creationTimestamp);
  return Number.isNaN(timeMs) ? 0 : timeMs;
}
