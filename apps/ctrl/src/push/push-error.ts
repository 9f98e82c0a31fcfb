// Why a push was not made, or was taken back: expected failures, each with the words for whoever pushed.
import type { Diagnostic } from "@sluice/core/model";

/** Every reason, and what it means. */
export const pushFailures = {
  invalid: "The configuration that the push would make has errors; nothing was stored.",
  empty: "The push holds no resource that Sluice reads.",
  owned: "A file of the configuration directory declares the resource; it is changed there.",
  conflict: "The resource has another `metadata.resourceVersion` than the push was made for.",
  precondition: "`If-Match` or `If-None-Match` does not hold.",
  redacted: "A Secret holds `[redacted]`, as it was read, where its value should be.",
  "not-found": "There is no such resource or version.",
  limit: "The push, or what would be stored, is larger than the limit.",
  "not-ready": "There is no running configuration to add to: the directory's has errors, or was not read yet.",
  busy: "Other pushes came first, again and again; nothing was stored.",
  unavailable: "The store cannot be written now; nothing is known to be stored.",
  "rolled-back": "An edge refused the version; it was taken back everywhere.",
  refused: "An edge refused the version, and there is none to go back to.",
} as const;

export type PushFailure = keyof typeof pushFailures;

export class PushError extends Error {
  readonly failure: PushFailure;
  readonly diagnostics: readonly Diagnostic[] | undefined;
  /** More for programs to read: numbers of versions. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    failure: PushFailure,
    message: string,
    more: { readonly diagnostics?: readonly Diagnostic[]; readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message);
    this.failure = failure;
    this.diagnostics = more.diagnostics;
    this.details = more.details ?? {};
  }
}
