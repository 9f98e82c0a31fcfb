// The store's snapshot file: everything there is at one version, so that the log can begin anew.
import { describeDocument } from "@sluice/core/model";
import type { StoredResource } from "../resource-store.ts";
import type { StateImage, UndoableVersion } from "../store-state.ts";
import { encodeRecord, readRecords } from "./records.ts";

/** Raised when a reader of the other format would misunderstand. */
const format = 1;

interface PlainImage {
  readonly format: number;
  readonly number: number;
  readonly resources: readonly StoredResource[];
  readonly history: readonly UndoableVersion[];
}

export function encodeImage({ snapshot, history }: StateImage): Buffer {
  const plain: PlainImage = {
    format,
    number: snapshot.number,
    resources: [...snapshot.resources.values()],
    history,
  };
  return encodeRecord(Buffer.from(JSON.stringify(plain)));
}

/** @throws Error when it is not what `encodeImage` wrote */
export function decodeImage(bytes: Buffer): StateImage {
  const { payloads, endBytes } = readRecords(bytes);
  const [payload] = payloads;
  if (payload === undefined || payloads.length > 1 || endBytes !== bytes.length) throw new Error("it is damaged");
  const plain = JSON.parse(payload.toString("utf8")) as PlainImage;
  if (plain.format !== format) throw new Error(`it has format ${plain.format}, this is for format ${format}`);
  const { number, resources, history } = plain;
  return {
    snapshot: { number, resources: new Map(resources.map((resource) => [describeDocument(resource), resource])) },
    history,
  };
}
