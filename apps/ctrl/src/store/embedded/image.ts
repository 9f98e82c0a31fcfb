// The store's snapshot file: everything there is at one version, so that the log can begin anew.
import { imageFromText, imageToText } from "../plain-image.ts";
import type { StateImage } from "../store-state.ts";
import { encodeRecord, readRecords } from "./records.ts";

export function encodeImage(image: StateImage): Buffer {
  return encodeRecord(Buffer.from(imageToText(image)));
}

/** @throws Error when it is not what `encodeImage` wrote */
export function decodeImage(bytes: Buffer): StateImage {
  const { payloads, endBytes } = readRecords(bytes);
  const [payload] = payloads;
  if (payload === undefined || payloads.length > 1 || endBytes !== bytes.length) throw new Error("it is damaged");
  return imageFromText(payload.toString("utf8"));
}
