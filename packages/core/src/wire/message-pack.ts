// MessagePack as this protocol uses it: plain maps with text keys, lists, text, numbers, booleans, nil and binary. Read in message-pack-reader.ts.
import { Packr } from "msgpackr/pack";

/**
 * No records, no shared structures, no bundled strings: they would make bytes depend on what was packed before, and the same
 * table must give the same bytes in every process.
 */
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  moreTypes: false,
  structuredClone: false,
  int64AsType: "number",
});

/** Encodes plain data. Keys keep the order they were written in. */
export function packPlain(value: unknown): Uint8Array {
  return packr.pack(value);
}
