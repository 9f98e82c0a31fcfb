// The form of a record on disk: `SLR1`, the payload's length and CRC-32 (32 bits each, big end first), the payload. Pure.
//
// A record that is not whole is the unfinished end of the file only if no whole one follows, wherever its length claims that it ends: a length
// that rotted must not make good records look like a tail. The mark at the start of each is what they are found by.
import { crc32 } from "node:zlib";

const marker = Buffer.from("SLR1");
const headerBytes = 12;

/** What a file of records holds. */
export interface RecordsRead {
  readonly payloads: readonly Buffer[];
  /** Where the last whole record ends. Less than the file's length: the rest was never finished, and never acknowledged. */
  readonly endBytes: number;
}

/** A record that is damaged although whole ones follow it. */
export class DamagedRecords extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super(`damaged at byte ${offset}`);
    this.offset = offset;
  }
}

export function encodeRecord(payload: Buffer): Buffer {
  const record = Buffer.allocUnsafe(headerBytes + payload.length);
  marker.copy(record, 0);
  record.writeUInt32BE(payload.length, 4);
  record.writeUInt32BE(crc32(payload), 8);
  payload.copy(record, headerBytes);
  return record;
}

/**
 * Reads records up to the end, or up to one that was not written to its end. A record is only begun when the one before it is safely on
 * disk, so only the last one can be unfinished: a bad one in front of a good one is damage.
 *
 * @throws DamagedRecords
 */
export function readRecords(bytes: Buffer): RecordsRead {
  const payloads: Buffer[] = [];
  let offset = 0;
  for (;;) {
    const payload = payloadAt(bytes, offset);
    if (payload === null) break;
    payloads.push(payload);
    offset += headerBytes + payload.length;
  }
  if (holdsRecord(bytes, offset + 1)) throw new DamagedRecords(offset);
  return { payloads, endBytes: offset };
}

function payloadAt(bytes: Buffer, offset: number): Buffer | null {
  const header = bytes.subarray(offset, offset + headerBytes);
  if (header.length < headerBytes || !header.subarray(0, marker.length).equals(marker)) return null;
  const start = offset + headerBytes;
  const payload = bytes.subarray(start, start + header.readUInt32BE(4));
  const isWhole = payload.length === header.readUInt32BE(4) && crc32(payload) === header.readUInt32BE(8);
  return isWhole ? payload : null;
}

function holdsRecord(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(marker, from); at >= 0; at = bytes.indexOf(marker, at + 1)) {
    if (payloadAt(bytes, at) !== null) return true;
  }
  return false;
}
