// One virtual host alone, for those who compare two tables without putting either together.
import type { VirtualHost } from "../model/index.ts";
import { unpackPlain } from "./message-pack-reader.ts";
import { virtualHostCodec } from "./resource-codecs.ts";

/** Decodes the bytes of a `virtual-host` resource. @throws WireError */
export function decodeVirtualHost(bytes: Uint8Array): VirtualHost {
  return virtualHostCodec.decode(unpackPlain(bytes));
}
