// The open streams of a connection by their numbers. A Map would do but for how V8 makes room in one that only ever adds and deletes: by a new
// table every few streams, to which the old one points. One old table in the old generation then keeps all that came after it alive until
// the next full collection, streams and exchanges too: a third of everything allocated was promoted, 15 % of the CPU of a request.
import type { Stream } from "./stream.ts";

const firstCapacity = 16;

/**
 * Open addressing, a place a stream. Numbers are odd and rise by two, so that streams opened one after the other stand side by side; a client
 * that leaves out numbers to make them collide makes us look at no more places than it has streams open.
 */
export class OpenStreams<Owner> {
  #places: (Stream<Owner> | null)[] = freePlaces(firstCapacity);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream<Owner> | null {
    return this.#places[this.#placeOf(id)] ?? null;
  }

  /** @param stream of a number that is not here yet */
  add(stream: Stream<Owner>): void {
    // At most half full: what is looked for and not here is missed soon.
    if (this.#size * 2 >= this.#places.length) this.#grow();
    this.#places[this.#placeOf(stream.id)] = stream;
    this.#size++;
  }

  /** False when it was not here. */
  delete(stream: Stream<Owner>): boolean {
    const place = this.#placeOf(stream.id);
    if (this.#places[place] !== stream) return false;
    this.#places[place] = null;
    this.#size--;
    this.#closeGap(place);
    return true;
  }

  /** In a list of its own: streams may be closed while it is walked. */
  list(): Stream<Owner>[] {
    return this.#places.filter((stream) => stream !== null);
  }

  /** Where it is, or where it would be put. */
  #placeOf(id: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let place = (id >>> 1) & mask;
    for (let stream = places[place]; stream !== null && stream?.id !== id; stream = places[place]) {
      place = (place + 1) & mask;
    }
    return place;
  }

  /** Those behind a place that has become free move up, or they would not be found any more. */
  #closeGap(from: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let gap = from;
    for (let place = (gap + 1) & mask; ; place = (place + 1) & mask) {
      const stream = places[place] ?? null;
      if (stream === null) return;
      // One whose own place lies behind the gap stays.
      if (((place - (stream.id >>> 1)) & mask) < ((place - gap) & mask)) continue;
      places[gap] = stream;
      places[place] = null;
      gap = place;
    }
  }

  #grow(): void {
    const streams = this.list();
    this.#places = freePlaces(this.#places.length * 2);
    for (const stream of streams) this.#places[this.#placeOf(stream.id)] = stream;
  }
}

function freePlaces(count: number): null[] {
  return Array.from({ length: count }, () => null);
}
