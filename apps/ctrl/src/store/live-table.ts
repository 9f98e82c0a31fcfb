// The current version as a table, for those who read it: decoded when first asked for, and once a version.
import type { Table } from "@sluice/core/model";
import { type DecodedTable, decodeTable } from "@sluice/core/wire";
import type { VersionStore } from "./versions.ts";

export class LiveTable {
  readonly #store: VersionStore;
  #decoded: DecodedTable | null = null;

  constructor(store: VersionStore) {
    this.#store = store;
  }

  /** Null while there is no version. */
  read(): { readonly version: string; readonly table: Table } | null {
    const encoded = this.#store.current?.table;
    if (encoded === undefined) return null;
    if (this.#decoded?.version !== encoded.version) {
      const { manifest, resources } = encoded;
      this.#decoded = decodeTable(manifest, (digest) => resources.get(digest), this.#decoded ?? undefined);
    }
    return this.#decoded;
  }
}
