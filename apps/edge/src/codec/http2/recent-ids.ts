// The last few streams that we have reset.

/** What a client had under way on a stream when our reset crossed it is no mistake of its. Bounded: older ones are forgotten. */
export class RecentIds {
  readonly #ids = new Set<number>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size <= this.#capacity) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }
}
