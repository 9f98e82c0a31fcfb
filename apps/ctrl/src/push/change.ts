// From a wish to what a commit would write: preconditions checked against one snapshot, what is as it should be left out.
import { isDeepStrictEqual } from "node:util";
import type { SourceText } from "@sluice/core/model";
import { describeDocument } from "@sluice/core/model";
import type { PushedResource } from "../compile/documents.ts";
import type { ResourceKey, ResourceText, Snapshot } from "../store/resource-store.ts";
import { checkLimits } from "./limits.ts";
import { PushError } from "./push-error.ts";

/** What a version would change. Nothing at all: everything is as it should be. */
export interface PlannedChange {
  readonly puts: readonly ResourceText[];
  readonly deletes: readonly ResourceKey[];
  /** Compiled in place of `puts`, so that findings name the lines that were sent. */
  readonly pushed: SourceText | null;
  readonly restores: number | null;
}

/** What the plan is made against. */
export interface PlanBase {
  readonly snapshot: Snapshot;
  /** `file:line` of every resource that the directory declares. */
  readonly declared: ReadonlyMap<string, string>;
}

/** Plans a change against a snapshot, and again on the next one where another push came first. @throws PushError */
export type Plan = (base: PlanBase) => Promise<PlannedChange> | PlannedChange;

/** What a single resource must be for the change to be made. */
export interface Precondition {
  /** `If-Match`: one of these versions; `any`: whichever it is. */
  readonly matches: readonly number[] | "any" | null;
  /** `If-None-Match: *`: it must not exist. */
  readonly isAbsent: boolean;
}

export const noPrecondition: Precondition = { matches: null, isAbsent: false };

/** Writes the resources of a push: all that differ from what is stored. */
export function planApply(
  resources: readonly PushedResource[],
  pushed: SourceText | null,
  precondition: Precondition = noPrecondition,
): Plan {
  return ({ snapshot, declared }) => {
    refuseDeclared(resources, declared);
    for (const resource of resources) {
      checkPrecondition(resource, snapshot, precondition);
      checkVersion(resource, snapshot);
      if (resource.isRedacted) throw redactedSecret(resource);
    }
    const puts = resources.filter((resource) => !isStored(resource, snapshot)).map(toText);
    checkLimits(snapshot, puts);
    return { puts, deletes: [], pushed, restores: null };
  };
}

/** Removes what was pushed; also what a file declares too, which is then all there is. */
export function planDelete(key: ResourceKey, precondition: Precondition = noPrecondition): Plan {
  return ({ snapshot, declared }) => {
    if (!snapshot.resources.has(describeDocument(key))) {
      refuseDeclared([key], declared);
      throw new PushError("not-found", `${describeDocument(key)} does not exist`);
    }
    checkPrecondition(key, snapshot, precondition);
    return { puts: [], deletes: [key], pushed: null, restores: null };
  };
}

/** Makes the stored resources what they were. */
export function planRestore(target: Snapshot): Plan {
  return ({ snapshot }) => {
    const puts = [...target.resources.values()].filter((resource) => !isStored(resource, snapshot)).map(toText);
    const deletes = [...snapshot.resources.values()].filter(
      (resource) => !target.resources.has(describeDocument(resource)),
    );
    return { puts, deletes: deletes.map(toKey), pushed: null, restores: target.number };
  };
}

export function toKey({ kind, namespace, name }: ResourceKey): ResourceKey {
  return { kind, namespace, name };
}

function toText({ kind, namespace, name, text }: ResourceText): ResourceText {
  return { kind, namespace, name, text };
}

function isStored(resource: ResourceText, { resources }: Snapshot): boolean {
  const stored = resources.get(describeDocument(resource));
  if (stored === undefined) return false;
  return stored.text === resource.text || isDeepStrictEqual(JSON.parse(stored.text), JSON.parse(resource.text));
}

function refuseDeclared(keys: readonly ResourceKey[], declared: ReadonlyMap<string, string>): void {
  const owned = keys.map(describeDocument).filter((key) => declared.has(key));
  const [first] = owned;
  if (first === undefined) return;
  const more = owned.length === 1 ? "" : ` (and ${owned.length - 1} more of the push have files)`;
  throw new PushError("owned", `${first} is declared by ${declared.get(first)}; change it there${more}`, {
    details: { owners: Object.fromEntries(owned.map((key) => [key, declared.get(key)])) },
  });
}

/** @throws PushError `precondition` */
export function checkPrecondition(
  key: ResourceKey,
  { resources }: Snapshot,
  { matches, isAbsent }: Precondition,
): void {
  const version = resources.get(describeDocument(key))?.resourceVersion ?? null;
  const details = { resourceVersion: version === null ? null : String(version) };
  if (isAbsent && version !== null) {
    throw new PushError("precondition", `${describeDocument(key)} exists`, { details });
  }
  if (matches === null) return;
  if (version !== null && (matches === "any" || matches.includes(version))) return;
  const now = version === null ? "does not exist" : `is at version ${version} now`;
  throw new PushError("precondition", `${describeDocument(key)} ${now}; read it again`, { details });
}

function checkVersion(resource: PushedResource, { resources }: Snapshot): void {
  if (resource.resourceVersion === null) return;
  const version = resources.get(describeDocument(resource))?.resourceVersion ?? null;
  if (String(version) === resource.resourceVersion) return;
  const now = version === null ? "does not exist" : `is at version ${version} now`;
  throw new PushError(
    "conflict",
    `${describeDocument(resource)} ${now}, and the push was made for version ${JSON.stringify(resource.resourceVersion)}: read it again, or leave metadata.resourceVersion out to write whatever is there`,
    { details: { resourceVersion: version === null ? null : String(version) } },
  );
}

function redactedSecret(resource: ResourceKey): PushError {
  return new PushError(
    "redacted",
    `${describeDocument(resource)} holds [redacted] where values should be: they are never given out, so what was read cannot be written back`,
  );
}
