// What a keeper starts from, as text: everything there is at one version, with the history.
import { describeDocument } from "@sluice/core/model";
import type { StoredResource } from "./resource-store.ts";
import type { StateImage, UndoableVersion } from "./store-state.ts";

/** Raised when a reader of the other format would misunderstand. */
const format = 1;

interface PlainImage {
  readonly format: number;
  readonly number: number;
  readonly resources: readonly StoredResource[];
  readonly history: readonly UndoableVersion[];
}

export function imageToText({ snapshot, history }: StateImage): string {
  const { number, resources } = snapshot;
  const plain: PlainImage = { format, number, resources: [...resources.values()], history };
  return JSON.stringify(plain);
}

/** @throws Error when it is of another format */
export function imageFromText(text: string): StateImage {
  const plain = JSON.parse(text) as PlainImage;
  if (plain.format !== format) throw new Error(`it has format ${plain.format}, this is for format ${format}`);
  const { number, resources, history } = plain;
  return {
    snapshot: { number, resources: new Map(resources.map((resource) => [describeDocument(resource), resource])) },
    history,
  };
}
