// How much may be stored: everything is held in memory and compiled as one.
import type { ResourceText, Snapshot } from "../store/resource-store.ts";
import { PushError } from "./push-error.ts";

/** Ten times the largest configuration that is measured. */
export const maxResources = 100_000;
/** Of all texts together. */
export const maxTotalCharacters = 128 * 1024 * 1024;
/** Of one resource; a Secret of Kubernetes may have a mebibyte. */
export const maxResourceCharacters = 4 * 1024 * 1024;

/** @throws PushError `limit` when the snapshot with these puts would be too much */
export function checkLimits(snapshot: Snapshot, puts: readonly ResourceText[]): void {
  const large = puts.find(({ text }) => text.length > maxResourceCharacters);
  if (large !== undefined) {
    const { kind, namespace, name } = large;
    throw new PushError("limit", `${kind} ${namespace}/${name} is larger than ${maxResourceCharacters} characters`);
  }
  if (snapshot.resources.size + puts.length > maxResources) {
    throw new PushError("limit", `no more than ${maxResources} resources can be stored`);
  }
  let total = 0;
  for (const { text } of snapshot.resources.values()) total += text.length;
  for (const { text } of puts) total += text.length;
  if (total > maxTotalCharacters) {
    throw new PushError("limit", `no more than ${maxTotalCharacters} characters can be stored`);
  }
}
