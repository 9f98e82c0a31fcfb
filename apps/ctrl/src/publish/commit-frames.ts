// Commits as bytes on the wire, made once for all edges that need the same: a tier of a hundred edges at one version costs one encoding.
import { diffManifests, type EncodedTable, encodeFrame, type ManifestEntry } from "@sluice/core/wire";

/** What an edge is known to serve. */
export interface Base {
  readonly version: string;
  readonly manifest: readonly ManifestEntry[];
}

export interface CommitFrame {
  readonly bytes: Uint8Array;
  /** How many resources it carries. */
  readonly resourceCount: number;
}

/** An edge that comes back has rarely missed more versions. Each costs the list of its resources. */
const maxRemembered = 8;

export class CommitFrames {
  readonly #bases = new Map<string, Base>();
  /** Of the version that was asked for last, by the version it starts from. */
  readonly #frames = new Map<string, CommitFrame>();
  #framesVersion = "";

  /** Makes deltas from this table possible, for edges that come back with it. */
  remember({ version, manifest }: EncodedTable): void {
    this.#bases.delete(version);
    this.#bases.set(version, { version, manifest });
    const [oldest] = this.#bases.keys();
    if (this.#bases.size > maxRemembered && oldest !== undefined) this.#bases.delete(oldest);
  }

  find(version: string): Base | null {
    return this.#bases.get(version) ?? null;
  }

  /** The commit of `table` for an edge that serves `base`; without base, for one that has nothing. @throws WireError `too-large` */
  from(base: Base | null, table: EncodedTable): CommitFrame {
    if (this.#framesVersion !== table.version) this.#frames.clear();
    this.#framesVersion = table.version;
    const key = base?.version ?? "";
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      frame = makeFrame(base, table, new Set(base?.manifest.map(({ digest }) => digest)));
      this.#frames.set(key, frame);
    }
    return frame;
  }
}

/** The whole table for an edge that serves a version nobody here knows, and holds these resources. @throws WireError `too-large` */
export function frameForInventory(table: EncodedTable, have: ReadonlySet<string>): CommitFrame {
  return makeFrame(null, table, have);
}

function makeFrame(base: Base | null, table: EncodedTable, has: ReadonlySet<string>): CommitFrame {
  const { version, manifest } = table;
  const { put, remove } = diffManifests(base?.manifest ?? [], manifest);
  const resources = new Map<string, Uint8Array>();
  for (const { digest } of put) {
    const bytes = table.resources.get(digest);
    if (bytes !== undefined && !has.has(digest)) resources.set(digest, bytes);
  }
  const bytes = encodeFrame({
    type: "commit",
    version,
    base: base?.version ?? null,
    put,
    remove,
    resources: [...resources],
  });
  return { bytes, resourceCount: resources.size };
}
