// Ketama's ring as Envoy builds it: each endpoint owns points on a circle of hashes, in proportion to its weight; a key belongs to the
// next point. Taking one endpoint away moves only the keys of its points.
import { type HashTable, ownerArray, type PlacedMember } from "./hash-table.ts";
import { Hash64, xxHash64 } from "./xx-hash-64.ts";

/** Very unequal weights need many points: the lightest endpoint gets whole ones. Beyond this (1.3 MB, 60 ms) it no longer does. */
const maxGrownSize = 2 ** 17;
/** However many were asked for: shares are even within a percent then, and the worker stands still while the ring is made. */
const maxSize = 2 ** 20;

export class RingTable implements HashTable {
  readonly owners: Uint16Array | Uint32Array;
  /** Where the points lie, ascending: the highest 53 bits of their hashes, as many as a double compares. */
  private readonly points: Float64Array;

  /** @param minSize points at least */
  constructor(members: readonly PlacedMember[], minSize: number) {
    const sum = members.reduce((total, { weight }) => total + weight, 0);
    const lightest = members.reduce((least, { weight }) => Math.min(least, weight / sum), 1);
    const scale = Math.min(
      Math.ceil(lightest * minSize) / lightest,
      Math.max(Math.min(minSize, maxSize), maxGrownSize),
    );
    const places = new Float64Array(Math.ceil(scale) + members.length);
    const owners = ownerArray(places.length, members.length);
    const hash = new Hash64();
    let count = 0;
    // Envoy's running sums: shares that are no whole numbers are rounded over all members together, not each up.
    let target = 0;
    for (const [index, { address, weight }] of members.entries()) {
      target += (scale * weight) / sum;
      for (let point = 0; count < target; point++) {
        xxHash64(`${address}_${point}`, hash);
        places[count] = hash.top53;
        owners[count++] = index;
      }
    }
    this.points = places.subarray(0, count);
    this.owners = owners.subarray(0, count);
    sortByPlace(this.points, this.owners);
  }

  /** The first point at or behind the hash; behind the last one comes the first. */
  slotOf(hash: Hash64): number {
    const { points } = this;
    const place = hash.top53;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((points[middle] ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }
}

/**
 * Sorts both arrays by the first. Hashes are spread evenly, so each is put near where it belongs at once, and moved a few steps then: for a
 * million points a comparing sort takes a second, in which the worker does nothing else.
 */
function sortByPlace(places: Float64Array, owners: Uint16Array | Uint32Array): void {
  const count = places.length;
  const bucketOf = (place: number) => Math.floor((place / 2 ** 53) * count);
  /** Where the next one of each bucket goes. */
  const next = new Uint32Array(count + 1);
  for (const place of places) next[bucketOf(place) + 1] = (next[bucketOf(place) + 1] ?? 0) + 1;
  for (let bucket = 1; bucket <= count; bucket++) next[bucket] = (next[bucket] ?? 0) + (next[bucket - 1] ?? 0);
  const [unsortedPlaces, unsortedOwners] = [places.slice(), owners.slice()];
  for (const [index, place] of unsortedPlaces.entries()) {
    const at = next[bucketOf(place)] ?? 0;
    next[bucketOf(place)] = at + 1;
    places[at] = place;
    owners[at] = unsortedOwners[index] ?? 0;
  }
  for (let index = 1; index < count; index++) insert(places, owners, index);
}

/** Moves the point at `index` down to its place among those before it, which are in order. */
function insert(places: Float64Array, owners: Uint16Array | Uint32Array, index: number): void {
  const place = places[index] ?? 0;
  const owner = owners[index] ?? 0;
  let at = index;
  for (; at > 0 && (places[at - 1] ?? 0) > place; at--) {
    places[at] = places[at - 1] ?? 0;
    owners[at] = owners[at - 1] ?? 0;
  }
  places[at] = place;
  owners[at] = owner;
}
