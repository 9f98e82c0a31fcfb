// The wire: tables as digested resources, and the protocol that carries them from ctrl to edge.
export { decodeDelta, decodeTable } from "./decode-table.ts";
export type { ResourceSource } from "./decode-table.ts";
export { decodeVirtualHost } from "./decode-virtual-host.ts";
export { encodeTable } from "./encode-table.ts";
export type { EncodedTable } from "./encode-table.ts";
export { encodeFrame, FrameDecoder, maxFrameBytes, maxGreetingBytes } from "./frames.ts";
export { digestOf, manifestVersion } from "./manifest.ts";
export type { ManifestEntry, ResourceKey, ResourceType } from "./manifest.ts";
export { diffManifests, patchManifest } from "./manifest-delta.ts";
export type { ManifestDelta } from "./manifest-delta.ts";
export { aliveEveryMs, protocolVersion, silenceLimitMs } from "./messages.ts";
export type * from "./messages.ts";
export { TablePatch } from "./table-patch.ts";
export type { DecodedTable } from "./table-patch.ts";
export { WireError } from "./wire-error.ts";
export type { WireErrorReason } from "./wire-error.ts";
