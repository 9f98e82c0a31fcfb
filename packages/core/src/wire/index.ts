// The wire: tables as digested resources, and the protocol that carries them from ctrl to edge.
export { decodeTable } from "./decode-table.ts";
export type { DecodedTable, ResourceSource } from "./decode-table.ts";
export { decodeVirtualHost } from "./decode-virtual-host.ts";
export { encodeTable } from "./encode-table.ts";
export type { EncodedTable } from "./encode-table.ts";
export { encodeFrame, FrameDecoder, maxFrameBytes } from "./frames.ts";
export { digestOf, manifestVersion } from "./manifest.ts";
export type { ManifestEntry, ResourceType } from "./manifest.ts";
export { protocolVersion } from "./messages.ts";
export type * from "./messages.ts";
export { WireError } from "./wire-error.ts";
export type { WireErrorReason } from "./wire-error.ts";
